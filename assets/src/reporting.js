// Draws each chart from the table beside it, so that both say the same; a suppressed cell is a gap. Again in each theme.
"use strict";
(() => {
  const root = document.documentElement;

  function read(place) {
    const table = document.getElementById(`${place.dataset.chart}-table`);
    const rows = [...table.querySelectorAll("tbody tr:not([data-total])")];
    if (place.dataset.bars === undefined) rows.reverse(); // days: the newest stands on top of the table
    const text = (row, column) => row.cells[column].textContent.trim();
    const count = (row, column) => (/^\d+$/.test(text(row, column)) ? Number(text(row, column)) : null);
    const columns = Array.from({ length: Number(place.dataset.bars || 1) }, (_, index) => index + 1);
    const heads = table.tHead.rows[0].cells;
    return {
      labels: rows.map((row) => text(row, 0)),
      series: columns.map((column) => ({ name: heads[column].textContent.trim(), data: rows.map((row) => count(row, column)) })),
    };
  }

  function option(place, { labels, series }) {
    const style = getComputedStyle(root);
    const colour = (name) => style.getPropertyValue(name).trim();
    const bars = place.dataset.bars !== undefined, flat = place.dataset.flat !== undefined;
    const label = { color: colour("--muted") };
    const names = {
      type: "category", data: bars ? labels : labels.map((day) => day.slice(5)), inverse: flat,
      axisLabel: { ...label, width: flat ? 104 : undefined, overflow: flat ? "truncate" : "none", hideOverlap: true },
    };
    const values = { type: "value", minInterval: 1, splitNumber: flat ? 3 : 5, axisLabel: { ...label, hideOverlap: true }, splitLine: { lineStyle: { color: colour("--line") } } };
    return {
      animation: false,
      aria: { enabled: series.length > 1, label: { enabled: false }, decal: { show: series.length > 1 } },
      color: [colour("--primary"), colour("--urgent"), colour("--info"), colour("--ok"), colour("--normal"), colour("--muted")],
      grid: { left: flat ? 8 : 48, right: flat ? 28 : 16, top: series.length > 1 ? 40 : 16, bottom: 28, containLabel: flat },
      legend: { show: series.length > 1, top: 4, left: 0, type: "scroll", textStyle: { color: colour("--text") }, pageTextStyle: label },
      textStyle: { fontFamily: style.getPropertyValue("--font") },
      xAxis: flat ? values : names,
      yAxis: flat ? names : values,
      series: series.map((each) => ({
        ...each, type: bars ? "bar" : "line", symbolSize: 6, barMaxWidth: 28,
        stack: place.dataset.stacked === undefined ? undefined : "whole",
      })),
    };
  }

  const charts = [];
  for (const place of document.querySelectorAll("[data-chart]")) {
    const drawn = read(place);
    if (drawn.series.every((each) => each.data.every((value) => value === null))) {
      // An empty axis would look like nought.
      place.hidden = true;
      place.parentElement.querySelector("[data-nothing]").hidden = false;
      continue;
    }
    const chart = echarts.init(place, null, { renderer: "svg" });
    chart.setOption(option(place, drawn));
    charts.push({ chart, place, drawn });
    new ResizeObserver(() => chart.resize()).observe(place);
  }
  new MutationObserver(() => charts.forEach(({ chart, place, drawn }) => chart.setOption(option(place, drawn))))
    .observe(root, { attributes: true, attributeFilter: ["data-bs-theme"] });
})();
