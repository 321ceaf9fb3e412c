/* The one map of single keys, and its sheet (?). A key acts on the element that carries its action
   (data-action="acknowledge"); a page has only the keys whose elements it shows. Off while typing or composing. */
(() => {
  "use strict";
  const KEYS = {
    j: "next_row", k: "previous_row", Enter: "open_row", a: "acknowledge", v: "verify", e: "escalate", c: "close_alert",
    n: "load_new", "/": "search", "?": "help",
  };
  const OFF = "anju-keys-off"; // in localStorage: a person's choice on this machine
  const words = JSON.parse(document.querySelector('meta[name="anju-words"]').content);
  const visible = (element) => element.getClientRects().length > 0;
  const off = () => window.localStorage.getItem(OFF) === "1";

  function typing(event) {
    if (event.isComposing || event.keyCode === 229) return true;
    return event.target.closest?.("input:not([type=checkbox]):not([type=radio]),textarea,select,[contenteditable]");
  }

  function rows() {
    return [...document.querySelectorAll(".rows .row-link")].filter(visible);
  }

  function move(step) {
    const list = rows();
    if (!list.length) return;
    let at = list.indexOf(document.activeElement);
    if (at < 0) at = list.findIndex((row) => row.hasAttribute("aria-current"));
    const row = list[at < 0 ? 0 : Math.min(list.length - 1, Math.max(0, at + step))];
    row.focus();
    row.scrollIntoView({ block: "nearest" });
  }

  function target(action) {
    return [...document.querySelectorAll(`[data-action="${action}"]`)].find(visible);
  }

  function act(action) {
    if (action === "next_row") return move(1);
    if (action === "previous_row") return move(-1);
    if (action === "help") return sheet();
    const element = target(action);
    if (!element) return undefined;
    if (element.matches("input,textarea,select")) return element.focus();
    return element.click();
  }

  function usable() {
    return Object.entries(KEYS).flatMap(([key, action]) => {
      if (action === "help") return [[key, words.help]];
      if (action.endsWith("_row")) return rows().length ? [[key, words[action]]] : [];
      const element = target(action);
      if (!element) return [];
      return [[key, element.dataset.actionName || words[action] || element.textContent.trim()]];
    });
  }

  function jumps() {
    const keyed = [...document.querySelectorAll("[data-key]")].filter(visible).map((element) => {
      const label = element.labels?.[0] ?? element;
      const text = [...label.childNodes].filter((node) => node.nodeName !== "KBD").map((node) => node.textContent);
      return [element.dataset.key, text.join("").trim()];
    });
    if (document.querySelector("form[data-keys]")) {
      keyed.push(["Enter", words.next_field], ["Ctrl+Enter", words.submit]);
    }
    return keyed;
  }

  function make(tag, text, attributes = {}) {
    const element = document.createElement(tag);
    element.textContent = text;
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    return element;
  }

  function sheet() {
    document.querySelector("dialog.sheet")?.remove();
    const dialog = make("dialog", "", { class: "sheet", "aria-labelledby": "key-sheet-h" });
    const close = make("button", words.close, { type: "button", class: "btn btn-sm" });
    close.addEventListener("click", () => dialog.close());
    const head = make("header", "");
    head.append(make("h2", words.keys, { id: "key-sheet-h" }), close);
    const list = make("dl", "");
    [...usable(), ...jumps()].forEach(([key, text]) => {
      const term = make("dt", "");
      term.append(make("kbd", key.length === 1 ? key.toUpperCase() : key));
      list.append(term, make("dd", text));
    });
    const box = make("input", "", { type: "checkbox", class: "form-check-input" });
    box.checked = !off();
    box.addEventListener("change", () => window.localStorage.setItem(OFF, box.checked ? "0" : "1"));
    const label = make("label", "");
    label.append(box, make("span", words.keys_on));
    const foot = make("footer", "");
    foot.append(label);
    dialog.append(head, list, foot);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || typing(event)) return;
    if (document.querySelector("dialog[open]")) return;
    const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action || action === "open_row") return; // a focused row is a link: Enter opens it by itself
    if (off() && action !== "help") return;
    event.preventDefault();
    act(action);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest('[data-action="help"]');
    if (!button) return;
    button.closest("details")?.removeAttribute("open");
    sheet();
  });
})();
