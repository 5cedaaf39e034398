"""Accuracy of the default forecast on public data, beside what peers scored.

    python -m benchmarks.forecast_accuracy DIR [--json FILE] [--only SET ...]

Fits on ``split == 'train'``, forecasts the test horizon with ``om.forecast`` and its defaults,
told only the frequency, the season and stockouts where they are known. Metrics as usual:
MASE against the seasonal naive forecast, RMSSE against the naive one, sCRPS as twice the mean
pinball loss of seven quantiles over the mean absolute change; coverage per step and of the
sum over the horizon, from the lead-time distribution. CPU seconds are one thread, warm, and
include reading the frame, all quantiles and the lead-time distribution.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import omnistock as om
from omnistock.forecasting.periods import Frequency, frequency_named

LEVELS = np.array([0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99])
UPPER = {"90": 4, "95": 5, "99": 6}

# Horizon, season, frequency, and the share of a period without stock.
SETS = {
    "m3_yearly": (6, 1, "step"),
    "m3_quarterly": (8, 4, "step"),
    "m3_monthly": (18, 12, "step"),
    "m3_other": (8, 1, "step"),
    "tourism_monthly": (24, 12, "step"),
    "tourism_quarterly": (8, 4, "step"),
    "tourism_yearly": (4, 1, "step"),
    "m4_weekly": (13, 52, "step"),
    "m4_hourly": (48, 24, "step"),
    "carparts": (12, 12, "M"),
    "hospital": (12, 12, "M"),
    "jewelry": (13, 52, "W"),
    "aus_retail": (12, 12, "M"),
    "vn1_weekly_26w": (13, 52, "W"),
    "freshretail_daily": (14, 7, "D"),
    "freshretail_hourly": (168, 24, "H"),
    "rossmann_daily": (42, 7, "D"),
    "orangejuice_weekly": (13, 52, "step"),
    "m5_monthly": (6, 12, "M"),
    "online_retail_weekly": (12, 52, "W"),
}


@dataclass(frozen=True, slots=True)
class Actuals:
    """What came: (n, h) units and share of the period without stock; NaN where there is none."""

    units: np.ndarray
    short: np.ndarray


def read_set(path: Path) -> pd.DataFrame:
    """Return columns unique_id, ds, quantity, stockout_share, test."""
    raw = pd.read_parquet(path)
    horizon, _, _ = SETS[path.stem]
    frame = pd.DataFrame(
        {"unique_id": raw["unique_id"].astype(str), "ds": raw["ds"], "quantity": raw["y"]}
    )
    frame["quantity"] = frame["quantity"].astype(float)
    if "hour" in raw:
        frame["ds"] = raw["ds"] + pd.to_timedelta(raw["hour"], unit="h")
    frame["stockout_share"] = 0.0
    if "oos_hours" in raw:  # of the sixteen hours from 6 to 22
        frame["stockout_share"] = raw["oos_hours"].to_numpy(float) / 16.0
    elif "stockout" in raw:
        frame["stockout_share"] = raw["stockout"].to_numpy(float)
    frame = frame.sort_values(["unique_id", "ds"], kind="stable", ignore_index=True)
    if "split" in raw:
        order = raw.assign(u=raw["unique_id"].astype(str)).sort_values(["u", "ds"], kind="stable")
        frame["test"] = (order["split"] == "test").to_numpy()
    else:
        frame["test"] = frame.groupby("unique_id").cumcount(ascending=False) < horizon
    return frame


def numbered(frame: pd.DataFrame, grid: Frequency) -> np.ndarray:
    if grid.kind == "units":
        return frame["ds"].to_numpy(np.int64)
    times = frame["ds"].to_numpy("datetime64[s]")
    if grid.kind == "time":
        return times.astype(np.int64) // 3600
    days = times.astype("datetime64[D]")
    return grid.anchored(days[:1]).periods_of(days, "history", "ds")


def unobserved_rows(train: pd.DataFrame) -> pd.DataFrame:
    """Add the periods that a series leaves out (a closed shop, a lost week) as not observed."""
    periods = train[["number", "ds"]].drop_duplicates("number").set_index("number")["ds"]
    spans = train.groupby("unique_id")["number"].agg(["min", "max", "size"])
    gaps = spans[spans["max"] - spans["min"] + 1 > spans["size"]]
    number = {name: rows.to_numpy() for name, rows in train.groupby("unique_id")["number"]}
    step = periods.sort_index().diff().min()
    first = periods.index.min()
    extra = []
    for name, low, high in zip(gaps.index, gaps["min"], gaps["max"], strict=True):
        absent = np.setdiff1d(np.arange(low, high + 1), number[name])
        times = [periods.get(one, periods[first] + (one - first) * step) for one in absent]
        extra.append(pd.DataFrame({"unique_id": name, "ds": times, "number": absent}))
    if not extra:
        return train
    added = pd.concat(extra, ignore_index=True).assign(quantity=0.0, stockout_share=1.0)
    return pd.concat([train, added], ignore_index=True)


def scales(train: pd.DataFrame, season: int) -> pd.DataFrame:
    """Return what errors are divided by, per series: mase, rmsse (mean square), crps."""
    rows = {}
    for name, units in train.groupby("unique_id")["quantity"]:
        y = units.to_numpy()
        seasonal = np.abs(y[season:] - y[:-season]).mean() if len(y) > season else 0.0
        change = np.diff(y)
        if seasonal == 0.0 and len(change):
            seasonal = np.abs(change).mean()
        sold = np.flatnonzero(y)
        after = np.diff(y[sold[0] :]) if len(sold) else change[:0]
        rows[name] = (
            seasonal,
            (after**2).mean() if len(after) else 0.0,
            np.abs(after).mean() if len(after) else 0.0,
        )
    return pd.DataFrame.from_dict(rows, orient="index", columns=["mase", "rmsse", "crps"])


def score_series(forecast: om.Forecast, actual: Actuals, scale: pd.DataFrame) -> pd.DataFrame:
    """Return the metrics of each series; NaN where a scale is zero or nothing came."""
    y = actual.units
    there = ~np.isnan(y)
    n_steps = there.sum(axis=1)
    miss = y - forecast.mean
    quantiles = forecast.quantiles(LEVELS)
    over = y[:, :, None] - quantiles
    pinball = np.maximum(LEVELS * over, (LEVELS - 1.0) * over)
    size = np.abs(y) + np.abs(forecast.mean)
    with np.errstate(invalid="ignore", divide="ignore"):
        scored = pd.DataFrame(
            {
                "MASE": np.nanmean(np.abs(miss), axis=1) / scale["mase"].to_numpy(),
                "RMSSE": np.sqrt(np.nanmean(miss**2, axis=1) / scale["rmsse"].to_numpy()),
                "sMAPE": np.nanmean(np.where(size > 0, 200 * np.abs(miss) / size, miss), axis=1),
                "bias": np.nanmean(miss, axis=1) / scale["mase"].to_numpy(),
                "sCRPS": 2 * np.nanmean(pinball, axis=(1, 2)) / scale["crps"].to_numpy(),
            }
        )
    scored = scored.where(np.isfinite(scored))
    for name, k in UPPER.items():
        within = (y <= quantiles[:, :, k]).sum(axis=1)
        scored[f"cov{name}"] = within / n_steps
    # Numbered steps count as days; else a period has the mean length of its frequency.
    total = forecast.lead_time_demand(n_steps * forecast.history.frequency.days)
    reached = total.quantile(LEVELS[None, :])
    whole = there.cumsum(axis=1)[np.arange(len(y)), n_steps - 1] == n_steps
    for name, k in UPPER.items():
        hit = np.nansum(y, axis=1) <= reached[:, k]
        scored[f"sumcov{name}"] = np.where(whole, hit, np.nan)
    scored.index = pd.Index(forecast.keys["unique_id"], name="unique_id")
    return scored


def run_set(path: Path) -> tuple[pd.DataFrame, dict[str, float]]:
    """Forecast one set; return the metrics per series, and their means."""
    horizon, season, frequency = SETS[path.stem]
    grid = frequency_named(frequency)
    frame = read_set(path)
    frame["number"] = numbered(frame, grid)
    train = frame[~frame["test"]]
    history = unobserved_rows(train)[["unique_id", "ds", "quantity", "stockout_share"]]
    start = time.process_time()
    forecast = om.forecast(
        history, horizon, frequency=frequency, season_length=season, levels=LEVELS.tolist()
    )
    forecast.quantiles()
    forecast.lead_time_demand(horizon * grid.days).quantile(LEVELS[None, :])
    seconds = time.process_time() - start

    names = forecast.keys["unique_id"]
    row = pd.Series(np.arange(len(names)), index=names)
    last = train.groupby("unique_id")["number"].max().reindex(names).to_numpy()
    test = frame[frame["test"] & frame["unique_id"].isin(names)]
    i = row[test["unique_id"]].to_numpy()
    j = test["number"].to_numpy() - last[i] - 1
    inside = (j >= 0) & (j < horizon)
    units, short = np.full((2, len(names), horizon), np.nan)
    units[i[inside], j[inside]] = test["quantity"].to_numpy()[inside]
    short[i[inside], j[inside]] = test["stockout_share"].to_numpy()[inside]
    actual = Actuals(units, short)
    scale = scales(train, season).reindex(names)
    scored = score_series(forecast, actual, scale)
    means = {"series": len(names), **{name: float(scored[name].mean()) for name in scored}}
    means["cpu_s_per_1000"] = seconds / len(names) * 1000
    if np.nanmax(short) > 0:
        stocked = short == 0.0
        sold = units[stocked].sum()
        means["stocked_bias"] = float((units - forecast.mean)[stocked].sum() / sold)
        means["stocked_WAPE"] = float(np.abs(units - forecast.mean)[stocked].sum() / sold)
    return scored, means


def print_set(
    name: str, scored: pd.DataFrame, means: dict[str, float], peers: pd.DataFrame
) -> None:
    """Print our scores, and the peers' beside ours on their series."""
    print(f"\n{name}: " + "  ".join(f"{key} {value:.4g}" for key, value in means.items()))
    if not len(peers):
        return
    print(f"  {'peer':18s} {'n':>5s}   RMSSE   ours    MASE   ours   sCRPS   ours  sum95   ours")
    for model, theirs in peers.groupby("model", observed=True):
        ours = scored.reindex(theirs["unique_id"].astype(str))
        cells = [
            f"{theirs[theirs_name].mean():7.4f} {ours[our_name].mean():6.4f}"
            for theirs_name, our_name in (
                ("RMSSE", "RMSSE"),
                ("MASE", "MASE"),
                ("sCRPS", "sCRPS"),
                ("LTcov95", "sumcov95"),
            )
        ]
        print(f"  {model:18s} {len(theirs):5d} " + " ".join(cells))


def warm_up() -> None:
    """Compile the kernels, so that the seconds are those of the work."""
    rng = np.random.default_rng(1)
    units = rng.poisson(np.repeat([8.0, 0.4, 3.0], 60)).astype(float)
    table = {"unique_id": np.repeat(["a", "b", "c"], 60), "ds": np.tile(np.arange(60), 3)}
    for scale in (1.0, 1.1):
        forecast = om.forecast({**table, "y": units * scale}, 6, frequency="step", season_length=4)
        forecast.quantiles()
        forecast.lead_time_demand(3).quantile(0.9)


def main() -> None:
    parser = argparse.ArgumentParser(description="Accuracy of the default forecast.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, help="write the means here")
    parser.add_argument("--only", nargs="*", help="names of sets")
    arguments = parser.parse_args()
    warm_up()
    by_series = arguments.folder / "peer_scores_by_series.parquet"
    peers = pd.read_parquet(by_series) if by_series.exists() else None
    results = {}
    for path in sorted(arguments.folder.glob("*.parquet")):
        if path.stem not in SETS or (arguments.only and path.stem not in arguments.only):
            continue
        scored, means = run_set(path)
        beside = pd.DataFrame() if peers is None else peers[peers["dataset"] == path.stem]
        print_set(path.stem, scored, means, beside)
        results[path.stem] = means
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
