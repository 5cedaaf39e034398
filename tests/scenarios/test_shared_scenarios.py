"""The worked cases beside the project: what the engine must be able to answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .amounts import read_scenarios
from .command import play

FILE = (
    Path(os.environ.get("OMNISTOCK_SHARED") or Path(__file__).resolve().parents[3] / "shared")
    / "cases"
    / "scenarios.json"
)
CATEGORIES = {"atp_time_phased", "reservation", "feed", "allocation", "kit", "sourcing"}


def scenarios():
    found = read_scenarios(FILE) if FILE.is_file() else []
    return [one for one in found if one["category"] in CATEGORIES]


@pytest.mark.skipif(not FILE.is_file(), reason="no cases beside the project")
@pytest.mark.parametrize("scenario", scenarios(), ids=lambda scenario: scenario["id"])
def test_a_worked_case_comes_out_as_its_source_says(scenario):
    assert [str(failure) for failure in play(scenario)] == []
