"""Plays files of scenarios and reports which do not come out as expected."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omnistock.errors import OmnistockError

from . import steps_deliveries, steps_orders, steps_questions, steps_sourcing, steps_stock  # noqa: F401
from .amounts import Unsupported, read_scenarios
from .comparing import MISSING, Mismatch, compare
from .opening_stock import ROW_FIELDS, check_fields, enter_given
from .readers import READERS, fingerprint, invariant_holds, read_state
from .stage import DUE_FIELDS, OPERATIONS, Answer, Stage
from .steps_orders import refusal
from .steps_questions import TERM_FIELDS

__all__ = ["Failure", "main", "play"]

LINE_FIELDS = {
    "lines": {"sku", "qty", "uom", "node", "lot", "line", "bundle", "selections", "note"}
    | {"min_remaining_days", *DUE_FIELDS},
    "demands": {"ref", "sku", "qty", "uom", "priority", "note", *TERM_FIELDS, *DUE_FIELDS},
    "on_hand": ROW_FIELDS["on_hand"],
}
# Fields of an expectation that are not figures.
_FRAME = {"step", "note", "comment"}


@dataclass
class Failure:
    """One thing in a scenario that is not as expected, and the trace if it crashed."""

    place: str
    message: str
    trace: str = ""

    def __str__(self) -> str:
        return f"{self.place}, {self.message}" if self.place else self.message


@dataclass
class Expected:
    """What a scenario expects, by step and at its end."""

    by_step: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    at_end: list[dict[str, Any]] = field(default_factory=list)


def _sorted_expectations(scenario: dict[str, Any]) -> Expected:
    expected = Expected()
    steps = len(scenario.get("steps", []))
    for entry in scenario.get("expect", []):
        if "step" not in entry:
            expected.at_end.append(entry)
        elif 1 <= int(entry["step"]) <= steps:
            expected.by_step.setdefault(int(entry["step"]), []).append(entry)
        else:
            raise Unsupported(f"an expectation of step {entry['step']} of {steps}")
    return expected


def play(scenario: dict[str, Any]) -> list[Failure]:
    """Play one scenario on an engine of its own; return what is not as expected."""
    place = "given"
    failures: list[Failure] = []
    try:
        expected = _sorted_expectations(scenario)
        stage = Stage(scenario)
        enter_given(stage)
        stage.begin()
        stage.frames_before = stage.engine.verify().frames if _counts_frames(scenario) else 0
        for number, step in enumerate(scenario.get("steps", []), start=1):
            place = f"step {number} {step.get('op')}"
            failures += [
                Failure(place, str(wrong))
                for wrong in _play_step(stage, step, expected.by_step.get(number, []))
            ]
        place = "end"
        failures += [
            Failure(place, str(wrong))
            for entry in expected.at_end
            for wrong in _check_end(stage, entry)
        ]
        stage.engine.close()
    except Unsupported as error:
        failures.append(Failure(place, str(error), traceback.format_exc()))
    except Exception as error:
        text = " ".join(str(error).split())
        message = f"raised {type(error).__name__}: {text}"
        failures.append(Failure(place, message, traceback.format_exc()))
    return failures


def _counts_frames(scenario: dict[str, Any]) -> bool:
    return any("ledger_entries" in entry for entry in scenario.get("expect", []))


def _play_step(stage: Stage, step: dict[str, Any], entries: list[dict[str, Any]]) -> list[Mismatch]:
    name = step.get("op")
    if name not in OPERATIONS:
        raise Unsupported(f"unknown op {name!r}")
    operation = OPERATIONS[name]
    unknown = [one for one in step if one not in operation.fields]
    if unknown:
        raise Unsupported(f"unknown field {', '.join(sorted(unknown))} of {name}")
    for table in ("lines", "demands", "on_hand"):
        for row in step.get(table, []):
            check_fields(row, LINE_FIELDS[table], table)
    stage.advance(step)
    wanted = {field: value for entry in entries for field, value in entry.items()}
    before = fingerprint(stage) if "unchanged" in wanted else None
    earlier = (
        {
            "available_before": READERS["available"](
                stage, step, Answer(), wanted["available_before"]
            )
        }
        if "available_before" in wanted
        else {}
    )
    try:
        answer = operation.play(stage, step)
    except OmnistockError as error:
        if not entries:
            raise
        answer = refusal(stage, error)
    answer.fields |= earlier
    if before is not None:
        answer.fields["unchanged"] = lambda: fingerprint(stage) == before
    found = []
    for entry in entries:
        found += _check_entry(stage, step, answer, entry)
    return _with_reason(found, answer, wanted)


def _with_reason(found: list[Mismatch], answer: Answer, wanted: dict[str, Any]) -> list[Mismatch]:
    """Add why a step was refused to what differs, if the refusal was not expected."""
    if not found or answer.refused is None or wanted.get("ok") is False:
        return found
    reason = " ".join(str(answer.refused).split())
    first = found[0]
    return [Mismatch(first.field, first.expected, f"{first.got} ({reason})"), *found[1:]]


def _check_entry(
    stage: Stage, step: dict[str, Any], answer: Answer, entry: dict[str, Any]
) -> list[Mismatch]:
    found: list[Mismatch] = []
    for name, expected in entry.items():
        if name in _FRAME:
            continue
        if name == "state":
            found += _check_states(stage, expected, step)
        elif name == "invariant":
            found += compare(stage.timeline, name, True, invariant_holds(stage, str(expected)))
        else:
            got = _figure(stage, step, answer, name, expected)
            found += compare(stage.timeline, name, expected, got)
    return found


def _figure(stage: Stage, step: dict[str, Any], answer: Answer, name: str, expected: Any) -> Any:
    """Return one expected figure: the operation's own, or asked from the engine now."""
    if name == "ok":
        return answer.ok
    if name == "error":
        return answer.error
    if name in answer.fields and not _asks_more(answer.fields[name], expected):
        value = answer.fields[name]
        return value() if callable(value) else value
    if name in READERS:
        return READERS[name](stage, step, answer, expected)
    return MISSING


def _asks_more(value: Any, expected: Any) -> bool:
    """Whether figures by SKU are expected where the operation only has one."""
    return isinstance(expected, dict) and not callable(value) and not isinstance(value, dict)


def _check_states(stage: Stage, states: Any, step: dict[str, Any]) -> list[Mismatch]:
    """Compare the stock's figures, of the SKU and node that a row or its step is about."""
    found = []
    rows = states if isinstance(states, list) else [states]
    for row in rows:
        place = {name: row[name] for name in ("node", "sku", "lot", "segment") if name in row}
        if not isinstance(states, list):
            for name in ("node", "sku"):
                if name not in place and isinstance(step.get(name), str) and _needs(stage, name):
                    place[name] = step[name]
        label = f"state[{' '.join(str(one) for one in place.values())}]" if place else "state"
        for name, expected in row.items():
            if name in ("node", "sku", "lot", "segment"):
                continue
            if name not in ("on_hand", "reserved", "available", "backordered", "raw", "inbound"):
                raise Unsupported(f"unknown figure of a state {name!r}")
            got = read_state(stage, place, name, expected)
            found += compare(stage.timeline, f"{label}.{name}", expected, got)
    return found


def _needs(stage: Stage, name: str) -> bool:
    """Whether a state must say which node or SKU it means, because there are several."""
    return len(stage.names.nodes if name == "node" else stage.names.skus) > 1


def _check_end(stage: Stage, entry: dict[str, Any]) -> list[Mismatch]:
    found: list[Mismatch] = []
    for name, expected in entry.items():
        if name == "state":
            found += _check_states(stage, expected, {})
        elif name == "invariant":
            found += compare(stage.timeline, name, True, invariant_holds(stage, str(expected)))
        elif name not in _FRAME:
            raise Unsupported(f"unknown expectation {name!r} without a step")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the scenarios of a file; return 0 if all come out, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="scenarios in JSON")
    parser.add_argument("--only", action="append", default=[], metavar="ID", help="these ids")
    parser.add_argument("--category", action="append", default=[], help="these categories")
    parser.add_argument("--verbose", action="store_true", help="all mismatches, and traces")
    chosen = parser.parse_args(arguments)
    try:
        scenarios = read_scenarios(chosen.file)
    except (OSError, ValueError, KeyError) as error:
        print(f"cannot read {chosen.file}: {error}", file=sys.stderr)
        return 2
    passed = failed = 0
    for scenario in scenarios:
        if chosen.only and scenario.get("id") not in chosen.only:
            continue
        if chosen.category and scenario.get("category") not in chosen.category:
            continue
        failures = play(scenario)
        failed += bool(failures)
        passed += not failures
        for line in _report(str(scenario.get("id")), failures, verbose=chosen.verbose):
            print(line, flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def _report(name: str, failures: list[Failure], *, verbose: bool) -> list[str]:
    if not failures:
        return []
    if not verbose:
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        return [f"{name}: {failures[0]}{more}"]
    lines = [f"{name}: {one}" for one in failures]
    return lines + [one.trace for one in failures if one.trace]
