/* The wall asks for what is on it: soon after the stream tells of a change, and every few seconds because time passes.
   What it could not renew for longer than look.md allows is said to be old. */
(() => {
  "use strict";
  const stream = document.getElementById("stream");
  const old = document.getElementById("wall-old");
  const CHANGED_MS = 500; // changes within it are one renewal
  const EVERY_MS = 5000;
  const STALE_MS = 15000; // look.md 2
  let renewed = Date.now();
  let busy = false;
  let soon = null;

  async function renew() {
    if (busy) return;
    busy = true;
    try {
      await window.htmx.ajax("GET", "/wall/now", { target: "#wall", swap: "outerMorph" });
    } finally {
      busy = false;
    }
  }

  function changed() {
    soon ??= setTimeout(() => { soon = null; renew(); }, CHANGED_MS);
  }

  function look() {
    const age = Date.now() - renewed;
    old.hidden = age < STALE_MS;
    if (!old.hidden) old.textContent = old.dataset.text.replace("{seconds}", Math.floor(age / 10000) * 10 || 15);
  }

  stream.addEventListener("alert", changed);
  stream.addEventListener("reset", changed);
  document.addEventListener("htmx:after:swap", () => { renewed = Date.now(); look(); });
  setInterval(renew, EVERY_MS);
  setInterval(look, 1000);
})();
