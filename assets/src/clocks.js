/* All clocks of a page on one timer: deadlines (.clk), ages (time[data-age]), the wall clock. The server sends the
   moments; the page counts, against the server's clock. */
(() => {
  "use strict";
  const root = document.documentElement;
  const words = JSON.parse(document.querySelector('meta[name="anju-words"]').content);
  const ahead = root.dataset.serverTime ? Date.parse(root.dataset.serverTime) - Date.now() : 0;
  // Where a row is narrow the state beside the clock says enough of which step it is (English words are longer).
  const narrow = window.matchMedia(root.lang === "en" ? "(max-width: 1599px)" : "(max-width: 899px)");
  const SOON_SHARE = 0.3; // of a limit left: orange (look.md 3)
  const wall = new Intl.DateTimeFormat("zh-CN", {
    timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  });
  const wallDay = new Intl.DateTimeFormat(root.lang, {
    timeZone: "Asia/Shanghai", month: "2-digit", day: "2-digit", weekday: "short",
  });

  const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  function span(milliseconds) {
    const seconds = Math.floor(milliseconds / 1000);
    const minutes = Math.floor(seconds / 60);
    const hours = Math.floor(minutes / 60);
    if (hours < 1) return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
    if (hours < 24) return fill(words.hours, { hours, minutes: minutes % 60 });
    return fill(words.days, { days: Math.floor(hours / 24), hours: hours % 24 });
  }

  function write(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }

  function deadline(clock, now) {
    const due = Date.parse(clock.dataset.due);
    const since = Date.parse(clock.dataset.since);
    const left = due - now;
    const limit = due - since;
    const soon = clock.dataset.soon ? Number(clock.dataset.soon) * 1000 : limit * SOON_SHARE;
    clock.classList.toggle("over", left < 0);
    clock.classList.toggle("soon", left >= 0 && left < soon);
    const word = narrow.matches && clock.closest(".row-end") ? "" : clock.dataset.word;
    write(clock.querySelector("[data-text]"),
      fill(left < 0 ? words.over : words.left, { word, value: span(Math.abs(left)) }).trim());
    const used = limit > 0 ? Math.min(100, Math.max(0, (100 * (now - since)) / limit)) : 0;
    clock.querySelector("i")?.style.setProperty("--used", `${used.toFixed(1)}%`);
  }

  function wallClock(element, now) {
    const day = wallDay.formatToParts(now).reduce((parts, part) => ({ ...parts, [part.type]: part.value }), {});
    if (!element.firstChild) element.append(document.createElement("b"), document.createElement("span"));
    write(element.firstChild, wall.format(now));
    write(element.lastChild, `${day.month}-${day.day} ${day.weekday}`);
  }

  function tick() {
    const now = Date.now() + ahead;
    document.querySelectorAll(".clk[data-due]").forEach((clock) => deadline(clock, now));
    document.querySelectorAll("time[data-age]").forEach((age) => {
      write(age, span(Math.max(0, now - Date.parse(age.dateTime))));
    });
    document.querySelectorAll("[data-wall-clock]").forEach((element) => wallClock(element, now));
  }

  tick();
  setInterval(tick, 1000);
  // Rows that htmx brings in get their text at once, not with the next second.
  document.addEventListener("htmx:after:swap", tick);
})();
