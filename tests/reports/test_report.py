"""The report as a file: self-contained, escaped, sized, and with sound charts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

import pytest
from synthetic_plan import AS_OF, synthetic_plan

from omnistock.errors import InputError
from omnistock.reports import charts, report_html, write_report
from omnistock.reports.replay import replay_section
from omnistock.reports.views import chosen_skus, largest_shortages, sku_series, total_series
from omnistock.reports.waterfall import waterfall_of_plan, waterfalls


@dataclass(frozen=True)
class Fill:
    lines: int
    lines_filled: int

    @property
    def fill_rate(self):
        return self.lines_filled / self.lines


@dataclass(frozen=True)
class Replayed:
    orders: int = 1234
    fill_rate: float = 0.9731
    oversold_units: int = 0
    commands: int = 98_765
    note: str = "two days"
    by_channel: dict[str, Fill] = field(default_factory=lambda: {"web": Fill(80, 60)})
    refusals: dict[str, int] = field(default_factory=lambda: {"stock": 3, "quota <1>": 14})


@pytest.fixture(scope="module")
def plan():
    return synthetic_plan()


@pytest.fixture(scope="module")
def page(plan):
    return report_html(plan, replay=Replayed())


def without_scripts(page):
    return re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def test_the_page_is_one_file_of_moderate_size(plan, tmp_path):
    path = write_report(tmp_path / "report.html", plan)

    assert path.stat().st_size < 6_000_000
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_nothing_on_the_page_refers_to_another_place(page):
    markup = without_scripts(page)

    links = re.findall(r"(?:src|href|action)\s*=\s*[\"']([^\"']*)", markup)
    assert links
    assert all(link.startswith(("#", "data:")) for link in links)
    assert not re.search(r"url\(|@import|https?:", markup)
    assert "default-src 'none'" in markup


def test_texts_from_data_are_escaped(page):
    markup = without_scripts(page)

    assert "T-shirt &lt;M&gt;" in markup
    assert "Lamp &amp; shade" in markup
    assert "<M>" not in markup


def test_the_data_cannot_end_their_script(page):
    data = re.search(r'id="report-data">(.*?)</script>', page, re.DOTALL)

    assert data is not None
    assert "<" not in data[1]
    assert "T-shirt <M> 0" in json.loads(data[1])["skus"]["SKU-000"]["label"]


def test_headline_figures_and_tables_are_there_without_any_script(page):
    markup = without_scripts(page)

    assert "Inventory plan for Wednesday 1 July 2026" in markup
    assert "97.0 %" in markup  # the fill rate in total
    assert "12.3 k" in markup  # demand ahead
    assert "12 of 12" in markup  # web's grant of SKU-006
    assert "97.3 %" in markup  # the replay's fill rate
    assert "Oversold units" in markup


def test_a_replay_shows_headlines_tables_and_the_rest(page):
    section = without_scripts(page).split('id="replay"')[1].split("</section>")[0]

    assert "<dt>Orders</dt><dd>1,234</dd>" in section
    assert "By channel" in section
    assert "75.0 %" in section  # the web's fill rate, a property of its row
    assert section.index("quota &lt;1&gt;") < section.index("stock</span>")  # the largest first
    assert "98,765" in section.split("All figures")[1]
    assert "two days" not in section


@pytest.mark.parametrize(("oversold", "bad"), [(0, False), (2, True)])
def test_an_oversold_unit_is_bad_news(oversold, bad):
    assert ('class="bad"' in replay_section({"oversold_units": oversold})) is bad


def test_every_chart_is_sound_vega_lite(monkeypatch):
    monkeypatch.setattr(charts, "VALIDATE", True)

    specifications = charts.specifications(["web", "store"])

    assert len(specifications) == 8
    for specification in specifications.values():
        assert "$schema" not in specification
        assert "https:" not in json.dumps(specification)


def test_a_plan_without_shortage_or_orders_says_so():
    plan = synthetic_plan(6, scarce=0)
    empty = plan.replenishment.slice(0, 0)
    object.__setattr__(plan, "replenishment", empty)

    markup = without_scripts(report_html(plan))

    assert "covers the expected demand of every SKU" in markup
    assert "None needed" in markup
    assert 'id="replay"' not in markup


def test_history_days_without_sales_are_zero_and_dates_fit(plan):
    series = sku_series(plan, ["SKU-003"])["SKU-003"]

    assert len(series["sold"]) == len(series["censored"]) == 126
    assert series["from"] == "2026-02-25"
    assert series["ahead_from"] == AS_OF.isoformat()
    assert sum(share > 0 for share in series["censored"]) == 5
    assert len(series["mean"]) == 28


def test_the_total_is_the_sum_of_all_skus(plan):
    skus = plan.network.skus
    every = sku_series(plan, list(skus))

    total = total_series(plan)

    assert total["sold"] == pytest.approx(
        [sum(one["sold"][day] for one in every.values()) for day in range(126)]
    )


def test_chosen_skus_hold_sellers_and_the_scarce(plan):
    chosen = chosen_skus(plan, 10)

    assert len(chosen) == len(set(chosen)) == 10
    assert largest_shortages(plan)[0]["sku"] in chosen


def test_shortages_are_sorted_by_what_they_cost(plan):
    costs = [one["value"] for one in largest_shortages(plan)]

    assert costs == sorted(costs, reverse=True)
    assert all(one["granted"] <= one["supply"] for one in largest_shortages(plan))


@pytest.mark.parametrize("channel", ["store", "web", "marketplace"])
def test_a_waterfall_ends_at_what_its_steps_leave(plan, channel):
    for sku in plan.network.skus:
        steps = waterfall_of_plan(plan, sku, channel)

        assert steps[-1][1] == pytest.approx(sum(units for _, units in steps[:-1]))
        assert steps[-1][1] >= 0
        assert all(units <= 0 for _, units in steps[1:-1])


def test_a_waterfall_counts_only_nodes_that_serve_the_channel(plan):
    for_store = waterfall_of_plan(plan, "SKU-000", "store")
    for_web = waterfall_of_plan(plan, "SKU-000", "web")

    stock = {row["node"]: row["on_hand"] for row in plan.buffers.to_pylist()
             if row["sku"] == "SKU-000"}  # fmt: skip
    assert for_store[0][1] == stock["Leeds"] + stock["York"]
    assert for_web[0][1] == sum(stock.values())


def test_an_engines_own_steps_are_shown_in_selling_units(plan):
    class Explanation:
        steps = (("on hand", 2500), ("reserved", -500))
        available = 2000
        binding = "stock"

    class Engine:
        def explain(self, sku, channel, now):
            assert now == AS_OF
            return Explanation()

    drawn = waterfalls(plan, ["SKU-001"], ["web"], Engine())["SKU-001"]["web"]

    assert [row["text"] for row in drawn["rows"]] == ["2.5", "−0.5", "2"]
    assert [(row["start"], row["end"]) for row in drawn["rows"]] == [(0, 2.5), (2.5, 2), (0, 2)]
    assert drawn["text"] == "2 may be promised to web. What binds: stock."


def test_a_missing_folder_is_named(plan, tmp_path):
    with pytest.raises(InputError, match="no folder"):
        write_report(tmp_path / "nowhere" / "report.html", plan)
