"""What every test may use: Hypothesis profiles, the shared folder, a browser."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# Kernels compile on first call, so no example may have a deadline. CI draws the
# same examples every time: a red run must be red again on the next machine.
_SLOW_START = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    max_examples=40,
    database=None,
    print_blob=True,
    suppress_health_check=_SLOW_START,
)
settings.register_profile("dev", deadline=None, max_examples=40, suppress_health_check=_SLOW_START)
settings.register_profile(
    "long", deadline=None, max_examples=2_000, suppress_health_check=_SLOW_START
)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
)

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Return the folder of real data beside the project; skip where there is none."""
    folder = Path(os.environ.get("OMNISTOCK_SHARED") or ROOT.parent / "shared")
    if not (folder / "data").is_dir():
        pytest.skip(f"no real data: {folder} has no folder 'data'; set OMNISTOCK_SHARED")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium; a missing one fails in CI and skips elsewhere."""
    found = [path for name in BROWSERS if (path := shutil.which(name))]
    if found:
        return found[0]
    message = f"no browser on PATH (looked for {', '.join(BROWSERS)})"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


# Folders whose tests ask about files, pages and processes rather than arithmetic.
_ONCE = {ROOT / "tests" / "docs", ROOT / "tests" / "repository"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent in _ONCE or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.once)
