"""The command line as a user meets it: answers on stdout, one clear message on stderr."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import warnings

import pytest
import typer

import omnistock
from omnistock.cli import app as app_module
from omnistock.cli import run, running
from omnistock.cli.running import answers, patience, tell

START = "from omnistock.cli import main; main()"


def omnistock_process(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", START, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **options,
    )


def test_version_says_the_packages_version(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"omnistock {omnistock.__version__}\n"


@pytest.mark.once
def test_help_names_every_command_and_loads_no_large_library():
    check = (
        "import sys; from omnistock.cli import run; code = run(['--help']); "
        "heavy = {'numba', 'pandas', 'scipy', 'polars', 'pyarrow', 'ortools', 'altair'}; "
        "print('LOADED', sorted(heavy & set(sys.modules)), code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, timeout=60, check=True
    )

    assert "LOADED [] 0" in done.stdout
    names = "init plan available explain verify doctor demo warmup bench"
    for command in names.split():
        assert f" {command} " in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["plan"], ["available"], ["plan", "x", "--horizon-days", "many"], []],
)
def test_a_command_line_that_cannot_be_read_exits_with_2(arguments, capsys):
    assert run(arguments) == 2


@pytest.mark.parametrize("command", [["available", "MUG"], ["explain", "MUG"], ["verify"]])
def test_a_missing_store_is_one_clear_message(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OMNISTOCK_STORE", raising=False)

    assert run(command) == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: there is no store omnistock.db; ")
    assert printed.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_option_beats_the_environment_and_the_environment_the_default(monkeypatch, capsys):
    monkeypatch.setenv("OMNISTOCK_STORE", "from-environment.db")

    run(["verify"])
    assert "there is no store from-environment.db" in capsys.readouterr().err
    run(["verify", "--store", "from-option.db"])
    assert "there is no store from-option.db" in capsys.readouterr().err


@pytest.mark.parametrize("place", [0, 1, 2])
def test_debug_shows_the_traceback_wherever_it_stands(place, tmp_path, capsys):
    arguments = ["verify", f"--store={tmp_path / 'none.db'}"]
    arguments.insert(place, "--debug")

    assert run(arguments) == 2
    shown = capsys.readouterr().err
    assert "Traceback (most recent call last)" in shown
    assert "error: there is no store" in shown


def test_bad_tables_are_named_and_nothing_is_written(tmp_path, capsys):
    folder = tmp_path / "shop"
    assert run(["init", str(folder)]) == 0
    capsys.readouterr()
    (folder / "stock.csv").write_text("sku,node,on_hand\nMUG,DC1,-4\nMUG,S1,many\n")
    (folder / "sales.csv").write_text("date,sku,node,channel,quantity\nsoon,MUG,DC1,web,1\n")

    code = run(["plan", str(folder), "--out", str(tmp_path / "plan")])

    printed = capsys.readouterr()
    assert code == 2
    assert "sales, row 1, column 'date': 'soon' is not a date" in printed.err
    assert "stock, row 1, column 'on_hand': -4 is negative" in printed.err
    assert "stock, row 2, column 'on_hand': 'many' is not a number" in printed.err
    assert "Traceback" not in printed.err
    assert sorted(os.listdir(tmp_path)) == ["shop"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--as-of", "tomorrow"], "as_of must be an ISO date"),
        (["--service-level", "95"], "service_level"),
        (["--horizon-days", "0"], "horizon_days"),
        (["--report", "none/report.html"], "there is no folder none"),
    ],
)
def test_options_out_of_range_are_refused(options, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run(["init", "shop"])
    capsys.readouterr()

    assert run(["plan", "shop", *options]) == 2

    assert words in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["shop"]


def test_a_store_that_exists_is_not_loaded_again(tmp_path, capsys):
    store = tmp_path / "shop.db"
    store.write_text("precious")

    assert run(["plan", str(tmp_path), "--store", str(store)]) == 2

    assert "exists already" in capsys.readouterr().err
    assert store.read_text() == "precious"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "stopped; nothing was left half-written\n"),
        (omnistock.UnknownError("SKU", "MUG"), 2, "error: unknown SKU 'MUG'\n"),
        (OSError(28, "No space left on device"), 2, "error: [Errno 28] No space left on device\n"),
        (ZeroDivisionError("by zero"), 70, "this is a fault of omnistock, not yours: Zero"),
    ],
)
def test_every_way_to_fail_has_one_message_and_its_exit_code(error, code, message, capsys):
    @answers
    def failing() -> None:
        raise error

    app_module.app.command("failing")(failing)
    try:
        assert run(["failing"]) == code
    finally:
        app_module.app.registered_commands.pop()

    shown = capsys.readouterr().err
    assert shown.startswith(message)
    assert shown.count("\n") == 1


def test_a_warning_is_one_line_and_no_failure(capsys):
    @answers
    def warning() -> None:
        warnings.warn("2 open orders found no stock", stacklevel=2)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warning()

    assert capsys.readouterr().err == "warning: 2 open orders found no stock\n"


def test_a_long_wait_is_explained_and_a_short_one_is_not(capsys):
    with patience(seconds=30):
        pass
    assert capsys.readouterr().err == ""

    told = threading.Event()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "tell", lambda message: (tell(message), told.set()))
        with patience(seconds=0.01):
            assert told.wait(30)
    assert capsys.readouterr().err.startswith("still working: ")


def test_init_writes_templates_once(tmp_path, capsys):
    folder = tmp_path / "my" / "shop"

    assert run(["init", str(folder)]) == 0
    assert "wrote 11 tables" in capsys.readouterr().out
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run(["init", str(folder)]) == 2
    assert "already holds skus.csv" in capsys.readouterr().err

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["shop"]


def test_init_keeps_what_a_folder_holds(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    assert run(["init", str(tmp_path)]) == 0

    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 12


def test_init_refuses_a_file(tmp_path, capsys):
    (tmp_path / "shop").write_text("")

    assert run(["init", str(tmp_path / "shop")]) == 2
    assert "is a file" in capsys.readouterr().err


def test_an_interrupt_that_a_library_swallows_still_stops_the_work(capsys):
    @answers
    def swallowing():
        with running.watched() as progress:
            progress(0, 2, "first")
            # What an import or a callback in a library may do with it.
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            progress(1, 2, "second")
            raise AssertionError("the work went on")

    with pytest.raises(typer.Exit) as ended:
        swallowing()

    assert ended.value.exit_code == 130
    shown = capsys.readouterr().err
    assert "second" not in shown
    assert shown.endswith("stopped; nothing was left half-written\n")


@pytest.mark.once
def test_help_loads_nothing_heavy():
    code = (
        "import sys\n"
        "from omnistock.cli import run\n"
        "run(['--help'])\n"
        "heavy = {'numba', 'pandas', 'pyarrow', 'scipy', 'ortools', 'altair', 'statsmodels'}\n"
        "print('heavy:', sorted(heavy & set(sys.modules)))\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip().endswith("heavy: []")
