// Draws each chart from the table beside it, so that both say the same; a suppressed cell is a gap in the line.
"use strict";
(() => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  for (const place of document.querySelectorAll("[data-chart]")) {
    const table = document.getElementById(`${place.dataset.chart}-table`);
    const rows = [...table.querySelectorAll("tbody tr:not([data-total])")];
    const text = (row, column) => row.cells[column].textContent.trim();
    const count = (row, column) => (/^\d+$/.test(text(row, column)) ? Number(text(row, column)) : null);
    const bars = Number(place.dataset.bars || 0);
    const columns = bars ? Array.from({ length: bars }, (_, index) => index + 1) : [1];
    const heads = table.tHead.rows[0].cells;
    const label = { color: colour("--muted") };
    const chart = echarts.init(place, null, { renderer: "svg" });
    chart.setOption({
      animation: false,
      aria: { enabled: bars > 1, label: { enabled: false }, decal: { show: bars > 1 } },
      color: [colour("--primary"), colour("--urgent"), colour("--info"), colour("--ok"), colour("--normal"), colour("--muted")],
      grid: { left: 56, right: 16, top: bars ? 40 : 16, bottom: 28 },
      legend: { show: bars > 0, top: 4, left: 0, type: "scroll", textStyle: { color: colour("--text") }, pageTextStyle: label },
      textStyle: { fontFamily: style.getPropertyValue("--font") },
      xAxis: { type: "category", data: rows.map((row) => (bars ? text(row, 0) : text(row, 0).slice(5))), axisLabel: label },
      yAxis: { type: "value", minInterval: 1, axisLabel: label, splitLine: { lineStyle: { color: colour("--line") } } },
      series: columns.map((column) => ({ type: bars ? "bar" : "line", name: heads[column].textContent.trim(), data: rows.map((row) => count(row, column)), symbolSize: 6 })),
    });
    new ResizeObserver(() => chart.resize()).observe(place);
  }
})();
