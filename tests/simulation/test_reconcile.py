"""Units of holds: what is open, what was shipped, what a kit's components are not."""

from __future__ import annotations

from omnistock.engine import Hold, HoldLine
from omnistock.simulation.reconcile import (
    open_units,
    shipped_lines,
    shipped_units,
    still_open,
)


def hold_of(*lines: HoldLine) -> Hold:
    return Hold(hold_id=1, order="A", status="confirmed", channel="web", lines=lines)


OF_A_SET = HoldLine("TEE", "DC", quantity=4, shipped=2, asked="SET")
ON_ITS_OWN = HoldLine("TEE", "DC", quantity=1, shipped=3, returned=1, asked="TEE")
ELSEWHERE = HoldLine("TEE", "SHOP", quantity=2, shipped=0, asked="TEE")


def test_open_units_are_summed_by_stockpoint():
    assert open_units(hold_of(OF_A_SET, ON_ITS_OWN, ELSEWHERE).lines) == {
        ("TEE", "DC"): 5,
        ("TEE", "SHOP"): 2,
    }


def test_components_of_a_kit_are_not_open_lines_of_their_own():
    hold = hold_of(OF_A_SET, ON_ITS_OWN, ELSEWHERE)

    assert still_open(hold, [("TEE", 9), ("CUP", 1)]) == [("TEE", 3)]
    assert still_open(hold, [("TEE", 2)]) == [("TEE", 2)]
    assert still_open(hold_of(OF_A_SET), [("TEE", 2)]) == []


def test_only_what_was_shipped_and_has_not_come_back_can_come_back():
    hold = hold_of(OF_A_SET, ON_ITS_OWN, ELSEWHERE)

    assert shipped_lines(hold, [("TEE", 9)]) == [("TEE", 2)]
    assert shipped_lines(hold_of(OF_A_SET), [("TEE", 1)]) == []


def test_what_left_the_house_is_the_difference_of_two_states():
    before = hold_of(OF_A_SET, ON_ITS_OWN, ELSEWHERE)
    after = hold_of(
        HoldLine("TEE", "DC", quantity=3, shipped=3, asked="SET"),
        HoldLine("TEE", "DC", quantity=0, shipped=4, returned=1, asked="TEE"),
        ELSEWHERE,
    )

    assert shipped_units(before, after) == {("TEE", "DC"): 2}
