/* The command centre's live side: a change that the stream tells refreshes the list, or waits behind the bar while
   somebody reads; sound for what is new and urgent; the person of an alert disappears when its time is over. */
(() => {
  "use strict";
  const stream = document.getElementById("stream");
  const sound = document.getElementById("sound");
  if (!stream) return;
  const QUIET_MS = 120; // changes within it are one refresh
  const CALM_MS = 2000; // while many come, this seldom at last: 200 boards ask one process, and nobody reads quicker
  const ANNOUNCE_MS = 10000; // look.md 3: a screen reader is told counts at most this often
  const LOUD = new Set(["critical", "urgent"]);
  const SOUND = "anju-sound"; // in localStorage: this desk's choice
  const list = () => document.getElementById("board-list");
  const detail = () => document.getElementById("board-detail");
  const bar = () => document.getElementById("new-items");
  const waiting = new Set(); // alerts that wait behind the bar
  const fill = (pattern, values) => pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  const counted = (count) => (count === 1 ? stream.dataset.newOne : fill(stream.dataset.newMany, { count }));

  /* ---- the list ---- */

  function held() {
    return Boolean(detail()?.dataset.alert) || list().scrollTop > 8 || window.scrollY > 8;
  }

  /* Runs `load` soon after it was asked for, once for all that asked meanwhile, and never twice at a time: what tells
     it a position is asked for again only while the page is behind it. The rest grows while several changes come within
     one, and differs from board to board, so that not all of them ask in the same moment. */
  function soon(isBehind, load) {
    let wanted = 0;
    let asks = 0;
    let rest = QUIET_MS;
    let busy = false;
    return async function ask(position = Infinity) {
      wanted = Math.max(wanted, position);
      asks += 1;
      if (busy) return;
      busy = true;
      await new Promise((resolve) => setTimeout(resolve, rest * (0.5 + Math.random())));
      rest = asks > 1 ? Math.min(rest * 2, CALM_MS) : QUIET_MS;
      const asked = wanted;
      wanted = 0;
      asks = 0;
      // The stream is often quicker than the answer to this page's own step.
      try {
        if (isBehind(asked)) await load(asked);
      } finally {
        busy = false;
      }
      if (wanted && isBehind(wanted)) ask(wanted);
    };
  }

  /* The list's address; `seen` lets the service answer with what it read for another board, if that is new enough. */
  function listAddress(position) {
    const query = new URLSearchParams(location.search);
    if (Number.isFinite(position)) query.set("seen", position);
    return `/board/list?${query}`;
  }

  const refresh = soon(
    (position) => position > Number(list().dataset.position),
    (position) => {
      waiting.clear();
      const asked = { anju: "list", position, search: location.search };
      return window.htmx.ajax("GET", listAddress(position), { target: "#board-list", swap: "outerMorph", ...asked });
    },
  );

  function showBar() {
    const button = bar();
    if (!button) return;
    button.hidden = waiting.size === 0;
    if (waiting.size) button.querySelector("[data-text]").textContent = counted(waiting.size);
  }

  function changeRow(id) {
    if (document.getElementById(`row-${id}`)) {
      window.htmx.ajax("GET", `/board/rows/${id}${location.search}`, { target: `#row-${id}`, swap: "outerMorph" });
    }
  }

  /* ---- the open alert ---- */

  const written = () => [...detail().querySelectorAll("textarea,input[type=radio]")].some(
    (field) => (field.type === "radio" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue),
  );

  // What somebody types, or the person they look at, is not taken from under them.
  const inUse = () => written() || Boolean(detail().querySelector("[data-until]"));
  const sayChanged = () => { document.getElementById("detail-changed").hidden = false; };

  const changeDetail = soon(
    (position) => Boolean(detail().dataset.alert) && position > Number(detail().dataset.position),
    () => (inUse() ? sayChanged() : showDetail()),
  );

  // By the time an answer is here, the alert may be in use that was not, and the list another one.
  document.addEventListener("htmx:before:swap", (event) => {
    const { anju, position, search } = event.detail.ctx;
    if (anju === "renewal" && inUse()) {
      event.preventDefault();
      sayChanged();
    } else if (anju === "list" && search !== location.search) {
      event.preventDefault();
      refresh(position);
    }
  });

  function showDetail() {
    const wanted = { target: "#board-detail", swap: "outerMorph", anju: "renewal" };
    return window.htmx.ajax("GET", `/board/detail${location.search}`, wanted);
  }

  /* ---- sound and words ---- */

  let audio = null;
  const wanted = () => window.localStorage.getItem(SOUND) === "1";

  function showSound() {
    // On only where the browser lets it be heard: before the first press on the page it does not.
    const on = wanted() && audio?.state === "running";
    sound.setAttribute("aria-pressed", String(on));
    sound.querySelector(".sound-on").hidden = !on;
    sound.querySelector(".sound-off").hidden = on;
    sound.querySelector("[data-text]").textContent = on ? sound.dataset.on : sound.dataset.off;
  }

  async function ready() {
    audio ??= new AudioContext();
    if (audio.state !== "running") await audio.resume();
    showSound();
  }

  function ring(severity) {
    if (audio?.state !== "running") return;
    // Two tones for urgent, three higher ones for critical: told apart without looking.
    const tones = severity === "critical" ? [880, 1175, 880] : [660, 880];
    tones.forEach((hertz, index) => {
      const start = audio.currentTime + index * 0.18;
      const tone = new OscillatorNode(audio, { frequency: hertz, type: "triangle" });
      const loudness = new GainNode(audio, { gain: 0 });
      loudness.gain.setValueAtTime(0.0001, start);
      loudness.gain.exponentialRampToValueAtTime(0.3, start + 0.02);
      loudness.gain.exponentialRampToValueAtTime(0.0001, start + 0.16);
      tone.connect(loudness).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.17);
    });
  }

  sound.addEventListener("click", async () => {
    const on = wanted() && audio?.state === "running";
    window.localStorage.setItem(SOUND, on ? "0" : "1");
    await ready();
    if (!on) ring("urgent");
  });
  document.getElementById("sound-test").addEventListener("click", async () => {
    await ready();
    ring("critical");
  });
  // A desk that wants sound gets it with its first press or key on the page, as browsers demand.
  ["pointerdown", "keydown"].forEach((name) => document.addEventListener(name, () => { if (wanted()) ready(); }, { once: true }));

  let announced = 0;
  let unannounced = 0;
  let announceTimer = null;
  function announce() {
    unannounced += 1;
    clearTimeout(announceTimer);
    announceTimer = setTimeout(() => {
      document.getElementById("announce").textContent = counted(unannounced);
      announced = Date.now();
      unannounced = 0;
    }, Math.max(0, announced + ANNOUNCE_MS - Date.now()));
  }

  /* ---- the stream ---- */

  stream.addEventListener("alert", (event) => {
    const told = JSON.parse(event.detail.data);
    const position = Number(event.detail.id);
    const isNew = told.state === "new" && (told.change === "raised" || told.change === "reopened");
    if (isNew) {
      announce();
      if (told.severity === "critical") document.getElementById("announce-critical").textContent = stream.dataset.critical;
      if (wanted() && LOUD.has(told.severity)) ring(told.severity);
    }
    if (detail().dataset.alert === told.alert_id) changeDetail(position);
    if (position <= Number(list().dataset.position)) return;
    if (!held()) return refresh(position);
    if (isNew && !document.getElementById(`row-${told.alert_id}`)) {
      waiting.add(told.alert_id);
      showBar();
    } else changeRow(told.alert_id);
  });
  stream.addEventListener("reset", () => refresh());

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-shows]");
    const facets = document.getElementById("board-facets");
    if (opener) {
      if (facets.classList.toggle("open")) facets.querySelector("a").focus();
    } else if (!event.target.closest("#board-facets")) facets.classList.remove("open");
    if (!event.target.closest("#new-items")) return;
    list().scrollTop = 0;
    refresh();
  });
  let start = list().dataset.start;
  document.addEventListener("htmx:after:swap", () => {
    // Another page of the list begins at its top.
    if (list().dataset.start !== start) list().scrollTop = 0;
    start = list().dataset.start;
    document.querySelectorAll(".rows li[id]").forEach((row) => waiting.delete(row.id.slice(4)));
    showBar();
  });

  setInterval(() => {
    document.querySelectorAll("[data-until]").forEach((shown) => {
      if (Date.now() < Date.parse(shown.dataset.until)) return;
      shown.remove();
      showDetail();
    });
  }, 1000);

  showSound();
})();
