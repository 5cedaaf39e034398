"""The engine beside a plain-Python one: random commands, time jumps, repetitions, reopening.

The rules lie in the ``machine_*`` files by subject, the plain engine in ``plain_*``.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from machine_base import Beside, Repeating
from machine_changes import ChangeRules
from machine_holds import HoldRules
from machine_limits import LimitRules
from machine_questions import Invariants, QuestionRules
from machine_stock import FeedRules, RingFenceRules, StockRules
from plain_limits import _least_room, _placed, room_in_window


class EngineBesidePlain(
    Beside,
    Repeating,
    StockRules,
    FeedRules,
    RingFenceRules,
    LimitRules,
    HoldRules,
    ChangeRules,
    QuestionRules,
    Invariants,
    RuleBasedStateMachine,
):
    """Each rule does the same to both; the invariants compare them."""


TestEngineBesidePlain = EngineBesidePlain.TestCase
TestEngineBesidePlain.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    # A failing run is short enough to read; shrinking it would take many minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@given(
    periods=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=6),
    data=st.data(),
    window=st.tuples(st.integers(0, 2), st.integers(0, 2)),
)
def test_placing_demand_one_by_one_finds_the_room_that_halls_theorem_says(periods, data, window):
    capacity = [units for units, _ in periods]
    demand = [units for _, units in periods]
    own = data.draw(st.integers(0, len(periods) - 1))
    if not _placed(capacity, demand, window):
        with pytest.raises(AssertionError):
            assert _placed(capacity, demand, window)
        return

    room = room_in_window(capacity, demand, own, window)

    assert room == _least_room(capacity, demand, own, window)
