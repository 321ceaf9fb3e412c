/* Forms by keyboard: Enter goes to the next field, Ctrl+Enter submits, F-keys jump (data-key), the error summary takes
   the focus once, and a form is sent once. Marked by form[data-keys]; data-key="F2" on a field or a button. */
(() => {
  "use strict";
  const FIELDS = "input:not([type=hidden]),select,textarea,button[data-main]";
  // 229: the key belongs to an input method that is still composing.
  const composing = (event) => event.isComposing || event.keyCode === 229;
  const visible = (element) => !element.disabled && element.getClientRects().length > 0;

  function next(field) {
    const fields = [...field.form.querySelectorAll(FIELDS)].filter(
      // A radio group is one stop: its checked box, else its first.
      (each) => visible(each) && (each.type !== "radio" || each === field || each.checked || isFirst(each)),
    );
    const following = fields.slice(fields.indexOf(field) + 1).filter((each) => each.name !== field.name || !each.name);
    return following[0];
  }

  function isFirst(radio) {
    const group = [...radio.form.querySelectorAll(`input[type=radio][name="${CSS.escape(radio.name)}"]`)];
    return group[0] === radio && !group.some((each) => each.checked);
  }

  function enter(event) {
    const field = event.target;
    if (!(field instanceof HTMLElement) || !field.form?.matches("[data-keys]")) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      field.form.requestSubmit(field.form.querySelector("button[data-main]"));
      return;
    }
    if (field.matches("textarea,button")) return;
    event.preventDefault();
    const following = next(field);
    if (following) {
      following.focus();
      if (following.matches("input:not([type=radio]):not([type=checkbox])")) following.select();
    }
  }

  document.addEventListener("keydown", (event) => {
    if (composing(event) || event.defaultPrevented) return;
    if (event.key === "Enter") enter(event);
    if (!/^F\d+$/.test(event.key) || event.ctrlKey || event.altKey || event.shiftKey) return;
    const target = [...document.querySelectorAll(`[data-key="${event.key}"]`)].find(visible);
    if (!target) return;
    event.preventDefault();
    if (target.matches("button,a")) target.click();
    else target.focus();
  });

  document.addEventListener("change", (event) => {
    if (event.target.type !== "radio") return;
    document.querySelectorAll(`.box input[name="${CSS.escape(event.target.name)}"]`).forEach((radio) => {
      radio.closest(".box").classList.toggle("on", radio.checked);
    });
  });

  // A second press while the first is under way sends nothing (the idempotency key would make it harmless, not quick).
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    form.dataset.sent = "1";
    event.submitter?.setAttribute("aria-busy", "true");
  }, true);

  function ready(form) {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  }

  function focusOnce(scope) {
    const summary = scope.querySelector?.("[data-focus-once]");
    if (!summary) return;
    summary.removeAttribute("data-focus-once");
    summary.focus();
  }

  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(ready));
  document.addEventListener("htmx:finally:request", () => document.querySelectorAll("form[data-sent]").forEach(ready));
  document.addEventListener("htmx:after:swap", () => focusOnce(document));
  document.addEventListener("anju:answered", () => {
    document.querySelectorAll("form[data-sent]").forEach(ready);
    focusOnce(document);
  });
  focusOnce(document);
})();
