"""The report in a real browser: every chart drawn, no error, no request."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from synthetic_plan import synthetic_plan

from omnistock.reports import write_report

pytestmark = pytest.mark.browser

CHARTS = ("total", "sku", "service", "reach", "cover", "granted", "shortage", "waterfall")
# Counts, inside the page, what the page asked for and what its policy forbade.
WATCH = """<script>
window.refused = 0;
document.addEventListener("securitypolicyviolation", () => { window.refused += 1; });
window.addEventListener("load", () => setTimeout(() => {
  const names = performance.getEntriesByType("resource").map((entry) => entry.name);
  document.body.dataset.requests = names.filter((name) => !name.startsWith("data:")).join(" ");
  document.body.dataset.refused = window.refused;
}, 1500));
</script>"""


@pytest.fixture(scope="module")
def drawn(chromium, tmp_path_factory):
    """Return the page's DOM after its scripts ran, and what the browser logged."""
    folder = tmp_path_factory.mktemp("browser")
    path = write_report(folder / "report.html", synthetic_plan())
    text = path.read_text("utf-8")
    path.write_text(text.replace("</head>", WATCH + "</head>", 1), "utf-8")
    return render(chromium, path, folder / "profile")


def render(chromium: str, page: Path, profile: Path) -> tuple[str, str]:
    finished = subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={profile}",
            "--enable-logging=stderr",
            "--window-size=1280,2000",
            "--virtual-time-budget=10000",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert "<html" in finished.stdout, finished.stderr[-2000:]
    return finished.stdout, finished.stderr


def test_all_charts_are_drawn(drawn):
    dom, _ = drawn

    assert re.search(r'<body[^>]*data-charts="drawn"', dom)
    for chart in CHARTS:
        place = dom.split(f'id="chart-{chart}"', 1)[1].split("</figure>", 1)[0]
        assert 'data-drawn="yes"' in place, chart
        assert "<svg" in place, chart
        assert len(re.findall(r"<(?:path|text|rect|line)", place)) > 10, chart


def test_marks_stand_for_the_data(drawn):
    dom, _ = drawn

    granted = dom.split('id="chart-granted"', 1)[1].split("</figure>", 1)[0]
    assert granted.count('aria-roledescription="bar"') == 6  # three channels, asked and granted
    assert "100 % of 112" in granted  # eight scarce SKUs, fourteen each to the store


def test_the_browser_reports_no_error(drawn):
    _, log = drawn

    lines = [line for line in log.splitlines() if "CONSOLE" in line]
    assert lines == []


def test_the_page_asks_for_nothing(drawn):
    dom, _ = drawn

    assert 'data-requests=""' in dom
    assert 'data-refused="0"' in dom


def test_sku_pickers_are_filled(drawn):
    dom, _ = drawn

    for picker in ("pick-sku", "pick-waterfall-sku", "pick-waterfall-channel"):
        options = dom.split(f'id="{picker}"', 1)[1].split("</select>", 1)[0]
        assert options.count("<option") >= 3
