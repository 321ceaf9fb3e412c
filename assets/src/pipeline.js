/* The start page's drawing and figures: asks the portal for the figures while somebody looks, and says so calmly when it cannot. */
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

  function showDesk(place, desk) {
    const number = place.querySelector("[data-number]");
    const known = desk.number === null ? (desk.up ? number.dataset.suppressed : "–") : desk.number + (desk.more ? "+" : "");
    write(number, known);
    write(place.querySelector("[data-second]"), shown(desk.second));
    place.querySelector(".means").hidden = !desk.up;
    place.querySelector(".quiet").hidden = desk.up;
    const oldest = place.querySelector("[data-oldest]");
    if (!oldest) return;
    oldest.hidden = desk.since === null;
    oldest.querySelector("time").dateTime = desk.since || "";
  }

  function showDesks(figures) {
    document.querySelectorAll("[data-desk]").forEach((place) => showDesk(place, figures.desks[place.dataset.desk]));
    document.querySelectorAll("[data-figure]").forEach((place) => write(place, shown(figures[place.dataset.figure])));
    const whole = figures.answering === figures.processes;
    document.getElementById("answering").className = `health ${whole ? "live" : "stale"}`;
  }

  async function look() {
    if (!document.hidden) {
      try {
        const answer = await fetch(pane.dataset.source, { headers: { accept: "application/json" } });
        if (!answer.ok) throw new Error(String(answer.status));
        const figures = await answer.json();
        show(figures);
        showDesks(figures);
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
