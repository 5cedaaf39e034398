"""What ``omnistock doctor`` looks at: is all well on this machine, and if not, what to do."""

from __future__ import annotations

import importlib
import importlib.metadata as metadata
import os
import platform
import re
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["BROKEN", "OK", "WARN", "Check", "examine"]

OK, WARN, BROKEN = "ok", "warn", "broken"

# Distribution and the module that must load. Those without a module only answer for their
# version: they load on use, and loading all of them takes seconds.
_LIBRARIES = (
    ("numpy", "numpy"),
    ("numba", "numba"),
    ("scipy", "scipy"),
    ("pyarrow", "pyarrow"),
    ("narwhals", "narwhals"),
    ("msgspec", "msgspec"),
    ("pandas", ""),
    ("ortools", ""),
    ("statsmodels", ""),
    ("altair", ""),
    ("vl-convert-python", ""),
    ("typer", "typer"),
    ("rich", "rich"),
)
_SLOW_FSYNC_MS = 20.0
_UNREAL_FSYNC_MS = 0.02
_LOW_MEMORY_GB = 2.0
_LOW_DISK_GB = 1.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: its state, what was found, and what to do if it is not well."""

    name: str
    state: str
    found: str
    mend: str = ""


def examine(store: Path) -> Iterator[Check]:
    """Yield all checks, one after the other; ``store`` need not exist."""
    yield _python()
    yield from _libraries()
    yield from _kernels()
    yield _time_zones()
    yield _store(store)
    yield _fsync(store)
    yield _processor()
    yield _memory()
    yield _disk(store)


def _python() -> Check:
    found = f"{platform.python_implementation()} {platform.python_version()} ({sys.executable})"
    if sys.maxsize < 2**32:
        return Check("python", BROKEN, f"{found}, 32 bits", "install a 64-bit Python")
    return Check("python", OK, found)


def _libraries() -> Iterator[Check]:
    minimums = _minimum_versions()
    for name, module in _LIBRARIES:
        try:
            version = metadata.version(name)
            if module:
                importlib.import_module(module)
        except (ImportError, OSError) as error:
            mend = f"install it again: pip install --force-reinstall {name}"
            yield Check(name, BROKEN, f"does not load: {error}", mend)
            continue
        least = minimums.get(name, "")
        if _numbers(version) < _numbers(least):
            mend = f"pip install '{name}>={least}'"
            yield Check(name, BROKEN, f"{version}, older than {least}", mend)
        else:
            yield Check(name, OK, version)


def _minimum_versions() -> dict[str, str]:
    """Return what the installed package declares; empty if it was never installed."""
    try:
        declared = metadata.requires("omnistock") or []
    except metadata.PackageNotFoundError:
        return {}
    found = {}
    for line in declared:
        match = re.match(r"([A-Za-z0-9._-]+)[^;]*?>=\s*([0-9.]+)[^;]*(;.*)?$", line)
        if match and "extra" not in (match[3] or ""):
            found[match[1].lower()] = match[2]
    return found


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.split("+")[0])[:3])


def _kernels() -> Iterator[Check]:
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        mend = "unset NUMBA_DISABLE_JIT: kernels run as plain Python, a hundred times slower"
        yield Check("kernels", WARN, "not compiled", mend)
        return
    found = list(_all_kernels())
    folders = sorted({str(kernel.stats.cache_path) for kernel in found})
    locked = [folder for folder in folders if not _writable(Path(folder))]
    where = folders[0] if len(folders) == 1 else f"{len(folders)} folders like {folders[0]}"
    if locked:
        mend = f"make {locked[0]} writable, or set NUMBA_CACHE_DIR to a folder that is"
        yield Check("cache", WARN, f"{locked[0]} cannot be written", mend)
    else:
        yield Check("cache", OK, where)
    warm = sum(_is_warm(kernel) for kernel in found)
    share = f"{warm} of {len(found)} compiled on disk"
    if not _mostly_warm(warm, found):
        mend = "run 'omnistock warmup' once, else the first commands wait for the compiler"
        yield Check("kernels", WARN, f"cold: {share}", mend)
    else:
        yield Check("kernels", OK, f"warm: {share}")


def kernels_are_warm() -> bool:
    """Return True if most kernels are compiled on disk, so that nothing waits for long."""
    found = list(_all_kernels())
    return _mostly_warm(sum(_is_warm(kernel) for kernel in found), found)


def _mostly_warm(warm: int, found: list[Any]) -> bool:
    return warm >= len(found) // 2


def _all_kernels() -> Iterator[Any]:
    """Yield every compiled function of the package that may be kept on disk."""
    package = Path(__file__).parents[1]
    seen = set()
    for path in sorted(package.rglob("*.py")):
        if not re.search(r"^@(lean_)?kernel$", path.read_text(encoding="utf-8"), re.MULTILINE):
            continue
        parts = path.relative_to(package).with_suffix("").parts
        module = importlib.import_module(".".join(("omnistock", *parts)))
        for value in vars(module).values():
            home = getattr(getattr(value, "py_func", None), "__module__", None)
            if home == module.__name__ and id(value) not in seen:
                seen.add(id(value))
                yield value


def _is_warm(kernel: Any) -> bool:
    file = getattr(getattr(kernel, "_cache", None), "_cache_file", None)
    load = getattr(file, "_load_index", None)
    return bool(load and load())


def _existing(folder: Path) -> Path:
    """Return the nearest folder on the way up that exists: there the others would be made."""
    while not folder.exists():
        folder = folder.parent
    return folder


def _writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=_existing(folder)):
            return True
    except OSError:
        return False


def _time_zones() -> Check:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo("Europe/Berlin")
    except ZoneInfoNotFoundError:
        return Check("time zones", BROKEN, "no data", "pip install tzdata")
    return Check("time zones", OK, "data found")


def _store(store: Path) -> Check:
    if not store.exists():
        mend = "none is needed yet; 'omnistock plan FOLDER --store FILE' makes one"
        return Check("store", OK, f"{store} does not exist; {mend}")
    try:
        connection = sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)
        try:
            answer = connection.execute("PRAGMA quick_check").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        return Check("store", BROKEN, f"{store}: {error}", "restore the file from a backup")
    if answer != "ok":
        return Check("store", BROKEN, f"{store}: {answer}", "restore the file from a backup")
    size = store.stat().st_size / 1e6
    return Check("store", OK, f"{store}, {size:.1f} MB, SQLite {sqlite3.sqlite_version}")


def _fsync(store: Path) -> Check:
    """Time what every acknowledged reservation waits for."""
    folder = _existing(store.resolve().parent)
    if not _writable(folder):
        mend = "give --store a folder that can be written"
        return Check("disk sync", BROKEN, f"{folder} cannot be written", mend)
    times = []
    with tempfile.NamedTemporaryFile(prefix=".omnistock-doctor-", dir=folder) as file:
        for _ in range(15):
            file.write(b"x" * 4096)
            file.flush()
            started = time.perf_counter()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - started) * 1000)
    middle = statistics.median(times)
    found = f"{middle:.2f} ms in {folder}"
    if middle > _SLOW_FSYNC_MS:
        mend = "every batch of reservations waits that long; put the store on a local SSD"
        return Check("disk sync", WARN, found, mend)
    if middle < _UNREAL_FSYNC_MS:
        mend = "no disk is that fast: the folder may lie in memory and be lost with the power"
        return Check("disk sync", WARN, found, mend)
    return Check("disk sync", OK, found)


def _processor() -> Check:
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next((x.split(":", 1)[1].strip() for x in lines if x.startswith("model name")), name)
    except OSError:
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = f"{name}, {cores} cores"
    if cores == 1:
        mend = "two or more let planning and the order system work side by side"
        return Check("processor", WARN, found, mend)
    return Check("processor", OK, found)


def _memory() -> Check:
    try:
        text = Path("/proc/meminfo").read_text(encoding="utf-8")
    except OSError:
        return Check("memory", OK, "free memory is not known on this system")
    match = re.search(r"MemAvailable:\s+(\d+) kB", text)
    if not match:
        return Check("memory", OK, "free memory is not known on this system")
    free = int(match[1]) / 1e6
    if free < _LOW_MEMORY_GB:
        mend = "close other programs; a plan of 1,000 SKUs takes about 1 GB"
        return Check("memory", WARN, f"{free:.1f} GB free", mend)
    return Check("memory", OK, f"{free:.1f} GB free")


def _disk(store: Path) -> Check:
    folder = _existing(store.resolve().parent)
    free = shutil.disk_usage(folder).free / 1e9
    if free < _LOW_DISK_GB:
        mend = "free some space: the ledger stops taking orders when the disk is full"
        return Check("disk space", WARN, f"{free:.1f} GB free at {folder}", mend)
    return Check("disk space", OK, f"{free:.1f} GB free at {folder}")
