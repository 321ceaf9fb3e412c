/* Whether the page still hears the service: the stream's age in the bar, the banner when it is lost, a line under the bar
   while an answer takes long, and a sentence when there was none: what is on the page stays then. The stream is the
   element with hx-sse:connect; its server beats every 10 s. */
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
  let failed = ""; // the sentence for a request that was not answered, or refused whole

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
    if (!stream) return show(failed);
    const seconds = Math.floor((Date.now() - (heard ?? opened)) / 1000);
    if (seconds >= STALE_SECONDS) {
      health("stale", fill(words.stale, { seconds }));
      // In steps of ten, so that a screen reader is not told every second.
      show(fill(words.lost, { seconds: Math.max(STALE_SECONDS, seconds - (seconds % 10)) }));
    } else {
      if (heard) health("live", seconds < 3 ? words.live : fill(words.live_age, { seconds }));
      else health("", words.connecting);
      show(failed);
    }
    if (seconds > 0 && seconds % SILENT_SECONDS === 0) stream._htmx?.sse?.reader?.cancel();
    return undefined;
  }

  function hear() {
    heard = Date.now();
    look();
  }

  /* What to say of an answer: nothing of a part of the page, which says itself what is wrong with it. */
  function refusal(response) {
    if (!response) return words.request_failed;
    const sentence = response.headers.get("anju-problem");
    if (sentence) return decodeURIComponent(sentence);
    return response.status >= 500 && !isPart(response) ? words.request_failed : undefined;
  }

  /* A page that is not well answers a request for a part of it with a part too, and says where it belongs. */
  const isPart = (response) => response.headers.has("hx-retarget");

  /* ---- the line under the bar (look.md 3): after 400 ms, so that a quick answer does not flicker ---- */

  const SLOW_MS = 400;
  const line = document.createElement("div");
  line.className = "loading-line";
  line.hidden = true;
  document.body.append(line);
  const open = new Map(); // request → its timer
  const asked = (request) => open.set(request, setTimeout(() => { line.hidden = false; }, SLOW_MS));

  function answered(request) {
    clearTimeout(open.get(request));
    open.delete(request);
    if (!open.size) line.hidden = true;
  }

  document.addEventListener("htmx:before:request", (event) => {
    if (!event.target.closest?.(STREAM)) asked(event.detail.ctx);
  });
  document.addEventListener("htmx:finally:request", (event) => answered(event.detail.ctx));
  // A form that form-send.js sends.
  document.addEventListener("anju:asked", (event) => asked(event.detail));
  document.addEventListener("anju:answered", (event) => answered(event.detail));

  function retry(event) {
    const stream = event.target.closest?.(STREAM);
    if (!stream) {
      failed = refusal(event.detail.ctx?.response) ?? failed;
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
  document.addEventListener("htmx:before:swap", (event) => {
    const response = event.detail.ctx.response;
    if (response && (response.headers.has("anju-problem") || (response.status >= 500 && !isPart(response)))) event.preventDefault();
  });
  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail?.ctx?.response?.status < 400) failed = "";
  });
  setInterval(look, 1000);
  opened = Date.now();
  look();
})();
