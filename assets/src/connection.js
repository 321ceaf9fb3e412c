/* Whether the page still hears the service: the stream's age in the bar, the banner when it is lost, and a line that
   says a request was not answered. The stream is the element with hx-sse:connect; its server beats every 10 s. */
(() => {
  "use strict";
  const words = JSON.parse(document.querySelector('meta[name="anju-words"]').content);
  const banner = document.getElementById("connection");
  const STALE_SECONDS = 15; // one heartbeat missed: the data's age turns red (look.md 2)
  const SILENT_SECONDS = 30; // three missed: the connection is dead although it looks open
  const RETRY_SECONDS = 2; // hx-sse retries a stream that broke, but not one that never opened
  const STREAM = "[hx-sse\\:connect]";
  let heard = null; // when the stream last said something
  let opened = Date.now();
  let failed = false; // a request was not answered

  const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  function show(text) {
    if (banner.textContent !== text) banner.textContent = text;
    banner.hidden = !text;
  }

  function health(state, text) {
    document.querySelectorAll("[data-stream-health]").forEach((slot) => {
      slot.classList.toggle("live", state === "live");
      slot.classList.toggle("stale", state === "stale");
      const word = slot.querySelector("[data-text]");
      if (word.textContent !== text) word.textContent = text;
    });
  }

  function look() {
    const stream = document.querySelector(STREAM);
    if (!stream) return show(failed ? words.request_failed : "");
    const seconds = Math.floor((Date.now() - (heard ?? opened)) / 1000);
    if (seconds >= STALE_SECONDS) {
      health("stale", fill(words.stale, { seconds }));
      // In steps of ten, so that a screen reader is not told every second.
      show(fill(words.lost, { seconds: Math.max(STALE_SECONDS, seconds - (seconds % 10)) }));
    } else {
      if (heard) health("live", seconds < 3 ? words.live : fill(words.live_age, { seconds }));
      else health("", words.connecting);
      show(failed ? words.request_failed : "");
    }
    if (seconds > 0 && seconds % SILENT_SECONDS === 0) stream._htmx?.sse?.reader?.cancel();
    return undefined;
  }

  function hear() {
    heard = Date.now();
    failed = false;
    look();
  }

  function retry(event) {
    const stream = event.target.closest?.(STREAM);
    if (!stream) {
      if (event.type === "htmx:error") failed = true;
      return look();
    }
    setTimeout(() => {
      if (stream.isConnected && !stream._htmx?.sse) {
        window.htmx.ajax("GET", stream.getAttribute("hx-sse:connect"), { source: stream });
      }
    }, RETRY_SECONDS * 1000);
    return look();
  }

  // hx-sse may arrive after htmx has looked over the page: then nobody has opened the stream.
  window.addEventListener("load", () => setTimeout(() => {
    const stream = document.querySelector(STREAM);
    if (stream && !stream._htmx?.triggerSpecs) window.htmx.process(stream);
  }));
  document.addEventListener("htmx:sse:after:connection", hear);
  document.addEventListener("htmx:sse:before:message", hear);
  document.addEventListener("htmx:error", retry);
  document.addEventListener("htmx:response:error", retry);
  document.addEventListener("htmx:after:swap", () => { failed = false; });
  setInterval(look, 1000);
  opened = Date.now();
  look();
})();
