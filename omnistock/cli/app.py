"""The commands of ``omnistock``: thin shells around the public API."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from omnistock.cli.running import answers, patience, settings, watched
from omnistock.errors import InputError

__all__ = ["app", "main", "run"]

app = typer.Typer(
    name="omnistock",
    help="Inventory allocation and forecasting for omnichannel retail.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_DEFAULT_STORE = "omnistock.db"
_COLOURS = {"ok": "green", "warn": "yellow", "broken": "red"}
StoreOption = Annotated[
    Path | None,
    typer.Option(
        help=f"The store; else environment OMNISTOCK_STORE, else ./{_DEFAULT_STORE}.",
        show_default=False,
    ),
]
ChannelOption = Annotated[str | None, typer.Option(help="The channel that asks.")]
NodeOption = Annotated[str | None, typer.Option(help="Only stock at this node.")]


def main() -> None:
    """Run the command line of this process."""
    # Loading libraries makes a million objects that stay; looking for garbage among them
    # time and again takes a sixth of a short command.
    gc.set_threshold(200_000, 20, 20)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code.

    ``--debug`` may stand anywhere: who needs it has just seen an error and adds it at the end.
    """
    settings.debug = False
    if "--debug" in arguments:
        arguments = ["--debug", *(one for one in arguments if one != "--debug")]
    try:
        app(arguments, prog_name="omnistock")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        return 130
    return 0


def _show_version(wanted: bool) -> None:
    if wanted:
        from omnistock import __version__

        print(f"omnistock {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[  # noqa: ARG001 - the callback answers
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    settings.debug = debug


def _store_path(store: Path | None) -> Path:
    return store or Path(os.environ.get("OMNISTOCK_STORE") or _DEFAULT_STORE)


@contextmanager
def _engine(store: Path | None) -> Iterator[Any]:
    """Open the store for reading, beside a running writer if there is one."""
    path = _store_path(store)
    if not path.is_file():
        raise InputError(
            f"there is no store {path}; 'omnistock plan FOLDER --store {path}' makes one, "
            "or name another with --store or the environment variable OMNISTOCK_STORE"
        )
    with patience():
        import omnistock as om

        with om.open(path, read_only=True) as engine:
            yield engine


@app.command("init")
@answers
def write_folder(
    folder: Annotated[Path, typer.Argument(help="Folder for the templates; made if missing.")],
) -> None:
    """Write a template of every table, with example rows to replace by your own."""
    from omnistock.cli.templates import write_templates

    paths = write_templates(folder)
    print(f"wrote {len(paths)} tables to {folder}: {', '.join(path.name for path in paths)}")
    print(f"next: replace the rows by yours, then run 'omnistock plan {folder}'")


@app.command()
@answers
def plan(
    folder: Annotated[Path, typer.Argument(help="Folder with NAME.csv or NAME.parquet files.")],
    out: Annotated[Path, typer.Option(help="Folder for the plan's tables.")] = Path("plan"),
    report: Annotated[
        Path | None,
        typer.Option(help="The report's file; default report.html beside the plan's folder."),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(help="Also load the plan into this new store.", show_default=False),
    ] = None,
    service_level: Annotated[
        float, typer.Option(help="Wanted share of cycles without stockout, 0..1.")
    ] = 0.95,
    horizon_days: Annotated[int, typer.Option(help="Days to forecast.")] = 28,
    as_of: Annotated[
        str | None,
        typer.Option(help="Morning the plan is for, like 2026-07-01; default after the last sale."),
    ] = None,
) -> None:
    """Forecast, buffers, replenishment, allocation: from your tables to a plan and a report."""
    from omnistock.cli.planning import make_plan

    with watched() as progress:
        made = make_plan(
            folder,
            out=out,
            report=report or out.parent / "report.html",
            store=store,
            service_level=service_level,
            horizon_days=horizon_days,
            as_of=as_of,
            progress=progress,
        )
    made.show()


@app.command()
@answers
def available(
    sku: Annotated[str, typer.Argument(help="The SKU, as in your tables.")],
    channel: ChannelOption = None,
    node: NodeOption = None,
    by: Annotated[
        str | None, typer.Option(help="Day or time it must ship by, like 2026-07-01.")
    ] = None,
    store: StoreOption = None,
) -> None:
    """Say how many units may be promised now, after every buffer, quota and protection."""
    from omnistock.model import from_units

    with _engine(store) as engine:
        units = engine.available(sku, channel=channel, node=node, by=by)
        scale = engine.network.skus[sku].unit_scale
    asked = [f"{word} {name}" for word, name in (("on", channel), ("at", node), ("by", by)) if name]
    print(" ".join([str(from_units(units, scale)), "of", sku, "available", *asked]))


@app.command()
@answers
def explain(
    sku: Annotated[str, typer.Argument(help="The SKU, as in your tables.")],
    channel: ChannelOption = None,
    node: NodeOption = None,
    store: StoreOption = None,
) -> None:
    """Show the way from stock on hand to what is available, and what stands between."""
    with _engine(store) as engine:
        text = engine.explain(sku, channel=channel, node=node).text()
    print(text)


@app.command()
@answers
def verify(store: StoreOption = None) -> None:
    """Recompute everything from the ledger and compare; exit code 1 if anything differs."""
    with _engine(store) as engine:
        result = engine.verify()
    if result.ok:
        print(f"{_store_path(store)}: 0 differences")
        return
    print(f"{_store_path(store)}: {len(result.differences)} differences")
    for difference in result.differences:
        print(f"  {difference}")
    raise typer.Exit(1)


@app.command()
@answers
def doctor(store: StoreOption = None) -> None:
    """Look whether all is well: versions, compiled kernels, store, disk, processor, memory."""
    from omnistock.cli.doctor import BROKEN, OK, examine

    broken = False
    for check in examine(_store_path(store)):
        broken |= check.state == BROKEN
        state = typer.style(f"{check.state:<7}", fg=_COLOURS[check.state])
        typer.echo(f"{state}{check.name:<20}{check.found}")
        if check.state != OK:
            typer.echo(f"{'':<27}-> {check.mend}")
    if broken:
        raise typer.Exit(1)


@app.command()
@answers
def demo(
    folder: Annotated[Path, typer.Option(help="Where everything is written.")] = Path("demo"),
    seed: Annotated[int, typer.Option(help="Another seed is another retailer.")] = 1,
    skus: Annotated[int, typer.Option(help="How many SKUs it sells.", min=10)] = 1000,
) -> None:
    """Generate a retailer, plan, open the engine, replay two days of orders, write a report."""
    from omnistock.cli.doctor import kernels_are_warm
    from omnistock.cli.warming import compile_kernels
    from omnistock.simulation.demo import run_demo

    with watched() as progress:
        if not kernels_are_warm():
            compile_kernels(progress)
        result = run_demo(folder, seed=seed, n_skus=skus, progress=progress)
    print(result.text())
    if not result.summary.clean:
        raise typer.Exit(1)


@app.command()
@answers
def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="A minute instead of several, on fewer stockpoints.")
    ] = False,
    peak: Annotated[
        float | None, typer.Option(help="Orders per second at your peak.", show_default=False)
    ] = None,
    lines_per_order: Annotated[float, typer.Option(help="Lines of an order, on average.")] = 2.5,
    checks_per_order: Annotated[
        float, typer.Option(help="Questions asked for each order placed, at the peak.")
    ] = 10.0,
    stockpoints: Annotated[
        int | None,
        typer.Option(help="SKUs times nodes; default 1,000,000, quick 200,000.", min=5),
    ] = None,
    folder: Annotated[
        Path, typer.Option(help="A folder on the disk that will hold the ledger.")
    ] = Path("."),
    json: Annotated[bool, typer.Option("--json", help="Figures as JSON.")] = False,
) -> None:
    """Measure this machine: orders, questions, waiting, memory, recovery, and your peak."""
    from omnistock.cli.benching import bench_machine

    with watched() as progress:
        report = bench_machine(
            quick=quick,
            peak=peak,
            lines_per_order=lines_per_order,
            checks_per_order=checks_per_order,
            n_stockpoints=stockpoints,
            folder=folder,
            progress=progress,
        )
    print(report.json() if json else report.text())


@app.command()
@answers
def warmup() -> None:
    """Compile the kernels now, once, so that nothing waits for the compiler later."""
    from omnistock.cli.warming import compile_kernels

    with watched() as progress:
        compile_kernels(progress)
    print("the kernels of engine and planning are compiled")
