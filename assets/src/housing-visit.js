/* The inspector's form. The draft lives on the phone from the first answer until the service has accepted it: with it the
   key under which it is sent, and from the first sending on the very body, so that sending again changes nothing. */
(() => {
  "use strict";
  const form = document.getElementById("visit");
  const words = JSON.parse(form.dataset.words);
  const place = `anju-inspection:${form.dataset.premises}:${form.dataset.subject}`;
  const screens = [...form.querySelectorAll("[data-screen]")];
  const items = screens.filter((screen) => screen.dataset.item);
  const order = ["start", ...items.map((screen) => screen.dataset.item), "end"];
  const fields = [...form.querySelectorAll("input[type=radio],textarea")];
  const ANSWER_MS = 15000;
  const AGAIN_MS = 20000;
  let draft = read();
  let sending = false;

  function fresh() {
    return { key: crypto.randomUUID(), version: form.dataset.version, at: "start", values: {}, body: null, kept: null };
  }

  function read() {
    try {
      const kept = JSON.parse(localStorage.getItem(place));
      // Another checklist came into force: the answers would not fit it, unless they are on their way already.
      return kept && (kept.body || kept.version === form.dataset.version) ? kept : fresh();
    } catch {
      return fresh();
    }
  }

  function keep() {
    draft.kept = new Date().toISOString();
    try {
      localStorage.setItem(place, JSON.stringify(draft));
    } catch {
      say("not_kept", "");
      return false;
    }
    return true;
  }

  const CITY = { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", hour12: false };
  const clock = (iso) => new Date(iso).toLocaleTimeString("zh-CN", CITY);
  const value = (name) => draft.values[name] ?? "";

  /* What is on its way is not changed any more. */
  function lock() {
    form.querySelectorAll(".pick:not(.off) input,textarea").forEach((field) => (field.disabled = Boolean(draft.body)));
  }

  /* The state of the draft always stands under the head, with a word. */
  function say(state, text) {
    const line = form.querySelector(".visit-state");
    line.dataset.state = state;
    line.querySelector("[data-state-word]").textContent =
      { kept: words.kept, waiting: words.offline, not_kept: words.kept }[state] ?? words[state];
    line.querySelector("[data-state-text]").textContent = state === "not_kept" ? words.not_kept : text;
  }

  function sayKept() {
    const text = draft.kept ? words.kept_at.replace("{time}", clock(draft.kept)) : "";
    if (draft.body) say("waiting", words.waiting);
    else say(navigator.onLine ? "kept" : "offline", text);
  }

  function show(name, focus = true) {
    draft.at = order.includes(name) ? name : "start";
    screens.forEach((screen) => (screen.hidden = screen.dataset.screen !== name));
    const at = order.indexOf(name);
    const screen = screens.find((each) => each.dataset.screen === name);
    form.querySelector("[data-where]").textContent = screen.dataset.item
      ? words.screen.replace("{at}", at).replace("{of}", items.length)
      : (words[name] ?? "");
    const next = screens.find((each) => each.dataset.screen === follow(1));
    const button = form.querySelector('[data-step="1"]');
    button.firstElementChild.textContent = next ? words.next.replace("{what}", next.dataset.name ?? words[next.dataset.screen]) : "";
    button.hidden = !next;
    form.querySelector('[data-step="-1"]').hidden = at <= 0;
    form.querySelector("[data-send]").hidden = name !== "end";
    form.querySelector(".visit-foot").hidden = name === "sent";
    form.querySelector(".visit-head [data-go]").hidden = name === "sent";
    if (name === "end") overview();
    if (focus) {
      scrollTo(0, 0);
      screen.querySelector("h2").focus();
    }
  }

  /* Who was not let in has nothing to look at but the overview. */
  function follow(step) {
    const outside = ["nobody_home", "refused"].includes(value("outcome"));
    if (outside && draft.at === "start" && step > 0) return "end";
    if (outside && draft.at === "end" && step < 0) return "start";
    return order[order.indexOf(draft.at) + step];
  }

  function fill() {
    fields.forEach((field) => {
      if (field.type === "radio") field.checked = value(field.name) === field.value;
      else field.value = value(field.name);
    });
    items.forEach(unfold);
    count();
  }

  function unfold(screen) {
    const code = screen.dataset.item;
    const failed = value(`result.${code}`) === "fail";
    screen.querySelector("[data-of-failure]").hidden = !failed;
    if (failed && !value(`severity.${code}`)) {
      draft.values[`severity.${code}`] = screen.dataset.least;
      screen.querySelector(`[name="severity.${code}"][value="${screen.dataset.least}"]`).checked = true;
    }
  }

  function count() {
    form.querySelector("progress").value = items.filter((screen) => value(`result.${screen.dataset.item}`)).length;
  }

  function overview() {
    const list = screens.find((screen) => screen.dataset.screen === "end").querySelector(".overview");
    list.replaceChildren(
      ...items.map((screen) => {
        const result = value(`result.${screen.dataset.item}`);
        const button = document.createElement("button");
        const said = document.createElement("b");
        button.type = "button";
        button.dataset.go = screen.dataset.item;
        button.append(screen.dataset.name, said);
        said.textContent = words[result || "left_out"];
        said.className = `is-${result || "left"}`;
        const row = document.createElement("li");
        row.append(button);
        return row;
      }),
    );
  }

  function body() {
    const found = items
      .filter((screen) => value(`result.${screen.dataset.item}`))
      .map((screen) => {
        const code = screen.dataset.item;
        const finding = { item: code, result: value(`result.${code}`) };
        if (finding.result !== "fail") return finding;
        const note = value(`note.${code}`).trim();
        return { ...finding, severity: value(`severity.${code}`), ...(note ? { note } : {}) };
      });
    return {
      checklist_version: draft.version,
      entry_basis: value("entry_basis"),
      outcome: value("outcome"),
      inspected_at: new Date().toISOString(),
      items: found,
    };
  }

  function missing() {
    if (!value("entry_basis")) return ["start", words.no_basis];
    if (!value("outcome")) return ["start", words.no_outcome];
    if (value("outcome") === "done" && !items.some((screen) => value(`result.${screen.dataset.item}`)))
      return [order[1], words.no_items];
    return null;
  }

  async function send() {
    if (sending) return;
    if (!draft.body) {
      const lacking = missing();
      if (lacking) {
        show(lacking[0]);
        say("refused", lacking[1]);
        return;
      }
      draft.body = body();
      keep();
    }
    sending = true;
    lock();
    say("sending", "");
    try {
      await settle(await post());
    } catch {
      say("waiting", words.waiting);
    } finally {
      sending = false;
      lock();
    }
  }

  async function post() {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), ANSWER_MS);
    try {
      return await fetch(`/api/v1/premises/${form.dataset.premises}/inspections`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": draft.key, "Accept-Language": document.documentElement.lang },
        body: JSON.stringify(draft.body),
        signal: stop.signal,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async function settle(answer) {
    const told = await answer.json();
    if (answer.status === 201) {
      accepted(told);
      return;
    }
    if (answer.status === 401) {
      say("refused", words.log_in);
      const link = document.createElement("a");
      link.href = `/login?next=${encodeURIComponent(location.pathname)}`;
      link.textContent = "→";
      form.querySelector("[data-state-text]").append(" ", link);
      return;
    }
    if (answer.status >= 500 || answer.status === 429) {
      say("waiting", words.busy);
      return;
    }
    // Refused for good as it is: it can be changed, and is then another inspection under another key.
    draft.body = null;
    draft.key = crypto.randomUUID();
    keep();
    say("refused", [told.title, ...(told.errors ?? []).map((error) => error.message)].filter(Boolean).join(" "));
  }

  function accepted(told) {
    try {
      localStorage.removeItem(place);
    } catch {
      // Nothing was kept there either.
    }
    draft = fresh();
    form.querySelector("[data-receipt]").textContent = told.inspection_id;
    const names = Object.fromEntries(items.map((screen) => [screen.dataset.item, screen.dataset.name]));
    form.querySelector("[data-found]").replaceChildren(
      ...told.hazards.map((hazard) => {
        const row = document.createElement("li");
        row.className = "found";
        row.textContent = names[hazard.item] ?? hazard.item;
        return row;
      }),
    );
    show("sent");
    say("accepted", told.hazards.length ? `${words.found}: ${told.hazards.length}` : words.nothing_found);
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    if (!event.target.name || draft.body) return;
    draft.values[event.target.name] = event.target.value;
    const screen = event.target.closest("[data-item]");
    if (screen) unfold(screen);
    count();
    if (keep()) sayKept();
  });
  form.addEventListener("click", (event) => {
    const go = event.target.closest("[data-go]");
    const step = event.target.closest("[data-step]");
    if (event.target.closest("[data-send]")) send();
    if (!go && !step) return;
    show(go ? go.dataset.go : follow(Number(step.dataset.step)));
    keep();
  });
  addEventListener("online", () => (draft.body ? send() : sayKept()));
  addEventListener("offline", sayKept);
  setInterval(() => draft.body && navigator.onLine && send(), AGAIN_MS);

  // What was touched while this script was still on its way to the phone counts as any answer does.
  fields.filter((field) => (field.type === "radio" ? field.checked : field.value)).forEach((field) => {
    if (!draft.body) draft.values[field.name] = field.value;
  });
  fill();
  lock();
  show(draft.at, false);
  sayKept();
  if (draft.body) send();
})();
