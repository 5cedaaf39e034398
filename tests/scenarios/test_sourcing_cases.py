"""Cases of choosing nodes and dates whose answers are worked out by hand in their notes."""

from __future__ import annotations

from pathlib import Path

import pytest

from .amounts import read_scenarios
from .command import play

CASES = read_scenarios(Path(__file__).with_name("sourcing_cases.json"))


@pytest.mark.parametrize("scenario", CASES, ids=lambda scenario: scenario["id"])
def test_a_case_of_choosing_nodes_comes_out_as_worked_out_by_hand(scenario):
    assert [str(failure) for failure in play(scenario)] == []
