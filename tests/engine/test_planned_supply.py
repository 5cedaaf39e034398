"""Supply beyond a fence has no end, but limits, capacities and switches hold there as well."""

import pytest

import omnistock as om

DAY = 86_400
NOON = 1_728_000_000
LATER = NOON + 5 * DAY


@pytest.fixture
def engine():
    network = om.Network.build(
        skus=[om.Sku("PEN", replenishment_buckets=3), "MUG", om.Sku("GIFT", tracked=False),
              om.Sku("FAR", components=(("PEN", 1), ("GIFT", 1)))],
        nodes=["A", "B"], channels=["web"],
    )  # fmt: skip
    with om.open(":memory:", network, clock=lambda: NOON) as one:
        yield one


def grants_just(engine, units, **asked):
    """What is available is reserved, and one unit more is not."""
    assert engine.available("PEN", by=LATER, **asked) == units
    with pytest.raises(om.OutOfStock):
        engine.reserve("O1", [("PEN", units + 1)], by=LATER, **asked)
    assert engine.available("PEN", by=LATER, **asked) == units
    if units:
        engine.reserve("O1", [("PEN", units)], by=LATER, **asked)
    assert engine.verify().differences == ()


def test_a_quota_holds_before_anything_is_stocked(engine):
    engine.set_quota("PEN", "web", 3)

    grants_just(engine, 3, channel="web")


@pytest.mark.parametrize("asked", [{}, {"node": "A"}])
def test_the_capacity_of_the_node_holds_before_anything_is_stocked(engine, asked):
    engine.set_capacity("A", 4)

    grants_just(engine, 4, **asked)


def test_the_first_node_that_is_on_takes_the_promise(engine):
    engine.set_node("A", False)

    hold = engine.reserve("O1", [("PEN", 7)], by=LATER)

    assert [line.node for line in hold.lines] == ["B"]
    grants_just(engine, 0, node="A")


def test_a_sku_that_is_switched_off_at_its_node_is_promised_at_another(engine):
    engine.set_node("A", False, sku="PEN")

    assert engine.reserve("O1", [("PEN", 7)], by=LATER).lines[0].node == "B"
    grants_just(engine, 0, node="A")


def test_a_kit_that_leaves_from_one_node_needs_a_node_that_keeps_its_parts(engine):
    assert engine.available("FAR", by=LATER, together=True) == 0
    with pytest.raises(om.OutOfStock):
        engine.reserve("O1", [("FAR", 1)], by=LATER, together=True)
