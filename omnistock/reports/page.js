"use strict";
(function () {
  const report = JSON.parse(document.getElementById("report-data").textContent);
  const views = {};

  function dayAfter(iso, days) {
    const [year, month, day] = iso.split("-").map(Number);
    return new Date(year, month - 1, day + days).getTime();
  }

  // A series is kept as columns; a chart wants one row per day.
  function demandRows(series) {
    const rows = [];
    const week = [];
    series.sold.forEach(function (sold, i) {
      week.push(sold);
      if (week.length > 7) week.shift();
      const mean = week.reduce((a, b) => a + b, 0) / week.length;
      rows.push({
        part: "past", date: dayAfter(series.from, i), sold: sold,
        trailing: mean,
        censored: series.censored ? series.censored[i] : 0,
      });
    });
    (series.mean || []).forEach(function (mean, i) {
      rows.push({
        part: "ahead", date: dayAfter(series.ahead_from, i), mean: mean,
        lower_95: series.lower_95[i], lower_80: series.lower_80[i],
        upper_80: series.upper_80[i], upper_95: series.upper_95[i],
      });
    });
    return rows;
  }

  function draw(id, rows) {
    const place = document.getElementById("chart-" + id);
    if (!place) return Promise.resolve();
    if (views[id]) {
      views[id].finalize();
      delete views[id];
    }
    const spec = structuredClone(report.charts[id]);
    if (place.clientWidth < 480) {
      spec.config.legend.columns = 2;
      spec.config.axis.labelLimit = 130;
    }
    if (spec.height.step) {
      spec.height = spec.height.step * new Set(rows.map((row) => row.name)).size;
    }
    spec.datasets = {};
    spec.datasets[id + "_rows"] = rows;
    const options = { mode: "vega-lite", renderer: "svg", actions: false, logLevel: 1 };
    return vegaEmbed(place, spec, options).then(function (result) {
      views[id] = result;
      place.dataset.drawn = "yes";
    });
  }

  function filled(select, entries) {
    select.replaceChildren();
    entries.forEach(function (entry) {
      const option = document.createElement("option");
      option.value = entry[0];
      option.textContent = entry[1];
      select.append(option);
    });
  }

  function drawSku() {
    const select = document.getElementById("pick-sku");
    if (!select) return Promise.resolve();
    return draw("sku", demandRows(report.skus[select.value]));
  }

  function drawWaterfall() {
    const sku = document.getElementById("pick-waterfall-sku");
    const channel = document.getElementById("pick-waterfall-channel");
    if (!sku) return Promise.resolve();
    const entry = report.waterfalls[sku.value][channel.value];
    document.getElementById("waterfall-text").textContent = entry.text;
    return draw("waterfall", entry.rows);
  }

  function start() {
    const drawn = [draw("total", demandRows(report.total))];
    Object.keys(report.rows).forEach((id) => drawn.push(draw(id, report.rows[id])));

    const sku = document.getElementById("pick-sku");
    if (sku) {
      filled(sku, Object.keys(report.skus).map((key) => [key, report.skus[key].label]));
      sku.addEventListener("change", drawSku);
      drawn.push(drawSku());
    }
    const waterfall = document.getElementById("pick-waterfall-sku");
    if (waterfall) {
      const channel = document.getElementById("pick-waterfall-channel");
      filled(waterfall, Object.keys(report.waterfalls).map((key) => [key, report.skus[key].label]));
      filled(channel, report.channels.map((key) => [key, key]));
      waterfall.addEventListener("change", drawWaterfall);
      channel.addEventListener("change", drawWaterfall);
      drawn.push(drawWaterfall());
    }
    return Promise.all(drawn);
  }

  function failed(error) {
    document.body.dataset.charts = "failed";
    console.error(error);
  }

  start().then(() => { document.body.dataset.charts = "drawn"; }).catch(failed);
})();
