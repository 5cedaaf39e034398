"""``omnistock plan``: tables in; plan, report and, if asked, a store out: whole or not at all."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omnistock.cli.running import Progress
from omnistock.errors import InputError

__all__ = ["MadePlan", "make_plan"]


@dataclass(frozen=True, slots=True)
class MadePlan:
    """What a plan run wrote, for people to read."""

    plan: Any
    written: tuple[Path, ...]

    def show(self) -> None:
        """Print the plan's main figures and where its files lie."""
        for name, figure in _figures(self.plan):
            print(f"{name:<26}{figure}")
        for path in self.written:
            print(f"{'written':<26}{path}")


def make_plan(
    folder: Path,
    *,
    out: Path,
    report: Path,
    store: Path | None,
    service_level: float,
    horizon_days: int,
    as_of: str | None,
    progress: Progress,
) -> MadePlan:
    """Plan from ``folder`` and write the results; what can be refused is refused first."""
    if store is not None and store.exists():
        raise InputError(
            f"{store} exists already, and loading a plan twice would count its stock twice; "
            "name a new file"
        )
    for path in (report, store):
        if path is not None and not path.parent.is_dir():
            raise InputError(f"there is no folder {path.parent} for {path.name}; make it first")
    import omnistock as om

    plan = om.plan(
        folder,
        horizon_days=horizon_days,
        service_level=service_level,
        as_of=as_of,
        progress=progress,
    )
    progress(0, 1, "writing the plan")
    written = [plan.write(out)]
    progress(1, 1, "writing the plan")
    from omnistock.reports import write_report

    progress(0, 1, "writing the report")
    written.append(write_report(report, plan))
    progress(1, 1, "writing the report")
    if store is not None:
        progress(0, 1, "loading the store")
        _new_store(plan, store)
        written.append(store)
        progress(1, 1, "loading the store")
    return MadePlan(plan, tuple(written))


def _new_store(plan: Any, store: Path) -> None:
    """Load the plan into a store that appears under its name only when it is complete."""
    folder = store.parent / f".{store.stem}-{os.getpid()}"
    # Named before it is made: Ctrl-C between the two would else leave it behind.
    try:
        folder.mkdir()
        made = folder / store.name
        plan.open_engine(made).close()
        os.rename(made, store)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _figures(plan: Any) -> list[tuple[str, str]]:
    total = next(row for row in plan.kpis.to_pylist() if row["scope"] == "total")
    stockpoints = plan.buffers.num_rows
    orders, transfers = (
        plan.replenishment["kind"].to_pylist().count(kind) for kind in ("order", "transfer")
    )
    scarce = len(set(plan.allocation["sku"].to_pylist()))
    return [
        ("plan for the morning of", plan.as_of.isoformat()),
        ("stockpoints", f"{stockpoints:,}"),
        ("demand ahead", f"{total['forecast_demand']:,.0f} units"),
        ("expected fill rate", _share(total["fill_rate"])),
        ("stock on hand", f"{total['on_hand']:,.0f} units"),
        ("days of cover", _one(total["days_of_cover"])),
        ("orders to suppliers", f"{orders:,} lines"),
        ("transfers", f"{transfers:,} lines"),
        ("scarce SKUs", f"{scarce:,}"),
    ]


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"


def _one(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.1f}"
