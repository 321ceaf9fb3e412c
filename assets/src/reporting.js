// Draws each chart from the table beside it, so that both say the same; a suppressed cell is a gap in the line.
"use strict";
(() => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  for (const place of document.querySelectorAll("[data-chart]")) {
    const rows = [...document.querySelectorAll(`#${place.dataset.chart}-table tbody tr`)];
    const counts = rows.map((row) => row.cells[1].textContent.trim()).map((text) => (/^\d+$/.test(text) ? Number(text) : null));
    const chart = echarts.init(place, null, { renderer: "svg" });
    chart.setOption({
      animation: false,
      aria: { enabled: false },
      color: [colour("--primary")],
      grid: { left: 56, right: 16, top: 16, bottom: 28 },
      textStyle: { fontFamily: style.getPropertyValue("--font") },
      xAxis: { type: "category", data: rows.map((row) => row.cells[0].textContent.trim().slice(5)), axisLabel: { color: colour("--muted") } },
      yAxis: { type: "value", minInterval: 1, axisLabel: { color: colour("--muted") }, splitLine: { lineStyle: { color: colour("--line") } } },
      series: [{ type: "line", data: counts, symbolSize: 6 }],
    });
    new ResizeObserver(() => chart.resize()).observe(place);
  }
})();
