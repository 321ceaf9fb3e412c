/* The start page's drawing: asks the portal for the figures while somebody looks, and says so calmly when it cannot. */
(() => {
  "use strict";
  const pane = document.getElementById("pipeline");
  if (!pane) return;
  const PERIOD_MS = 2000;
  const shown = (value) => (value === null ? "–" : String(value));

  function write(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }

  function show(figures) {
    pane.querySelectorAll("[data-station]").forEach((station) => {
      const figure = figures[station.dataset.station];
      station.classList.toggle("down", !figure.up);
      write(station.querySelector("[data-count]"), shown(figure.count));
    });
    pane.querySelectorAll("[data-time]").forEach((time) => {
      const value = figures[time.dataset.time].milliseconds;
      write(time, value === null ? "" : `${value} ms`);
    });
    write(pane.querySelector("[data-per-minute]"), shown(figures.per_minute));
    pane.classList.toggle("flowing", figures.per_minute > 0);
  }

  async function look() {
    if (!document.hidden) {
      try {
        const answer = await fetch(pane.dataset.source, { headers: { accept: "application/json" } });
        if (!answer.ok) throw new Error(String(answer.status));
        show(await answer.json());
        pane.classList.remove("stale");
      } catch {
        pane.classList.add("stale");
        pane.classList.remove("flowing");
      }
    }
    setTimeout(look, PERIOD_MS);
  }

  look();
})();
