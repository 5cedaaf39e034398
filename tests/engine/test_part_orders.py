"""Orders that are held in part, or beyond stock, where it matters what counts as stock."""

import pytest

import omnistock as om

DAY = 86_400
NOON = 1_728_000_000


@pytest.fixture
def engine():
    network = om.Network.build(skus=["TEE", om.Sku("GIFT", tracked=False)], nodes=["A", "B"])
    with om.open(":memory:", network, clock=lambda: NOON) as one:
        yield one


def test_a_part_order_that_draws_no_stock_at_all_is_refused(engine):
    lines = [("GIFT", 1), om.OrderLine("TEE", 1, lot="NOBODY'S")]
    engine.receive("TEE", "A", 5)

    with pytest.raises(om.OutOfStock) as caught:
        engine.reserve("O1", lines, partial=True, backorder=True)

    assert [one.sku for one in caught.value.shortages] == ["TEE"]


def test_units_beyond_stock_are_promised_from_common_stock_where_only_lots_are(engine):
    engine.receive("TEE", "B", 3, lot="L1", expiry=NOON + DAY)

    line = om.OrderLine("TEE", 2, min_remaining_days=5)
    hold = engine.reserve("O1", [line], backorder=True)

    (held,) = hold.lines
    assert (held.node, held.lot, held.backordered) == ("A", "", 2)
    assert engine.verify().differences == ()


@pytest.mark.parametrize("removal", ["fefo", "fifo", "lifo"])
def test_a_node_that_lacks_in_one_lot_what_it_has_in_another_does_not_end_the_search(
    engine, removal
):
    engine.receive("TEE", "A", 5, lot="L1", expiry=NOON + 9 * DAY)
    engine.adjust("TEE", "A", -3, allow_negative=True)
    engine.receive("TEE", "B", 4)

    assert engine.available("TEE") == 6
    hold = engine.reserve("O1", [("TEE", 6)], removal=removal)

    assert sorted((line.node, line.quantity) for line in hold.lines) == [("A", 2), ("B", 4)]
