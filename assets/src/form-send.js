/* Forms marked data-send are sent without leaving the page: it is left when the service has accepted, and not before. A
   refusal comes back into the page; without an answer everything typed stays, and the form's key makes it safe to send
   the same again. Without this script the forms are sent as any form is. */
(() => {
  "use strict";
  const words = JSON.parse(document.querySelector('meta[name="anju-words"]').content);
  const ANSWER_MS = 20000; // longer than the service's own limits: what did not answer by then will not

  const tell = (what, form) => document.dispatchEvent(new CustomEvent(what, { detail: form }));

  function say(form, text, link) {
    form.querySelector("[data-unanswered]")?.remove();
    const note = document.createElement("div");
    note.className = "note note-critical";
    note.dataset.unanswered = "";
    note.setAttribute("role", "alert");
    note.append(text);
    if (link) note.append(" ", link);
    (form.querySelector(".form-body,.body") ?? form).prepend(note);
    note.scrollIntoView({ block: "nearest" });
  }

  function logIn() {
    const link = document.createElement("a");
    link.href = `/login?next=${encodeURIComponent(location.pathname)}`;
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = words.log_in;
    return link;
  }

  async function post(form, body) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), ANSWER_MS);
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body,
        // As htmx asks: who is logged out is told so, and not led to another site's log-in page.
        headers: { Accept: "text/html", "HX-Request": "true", "HX-Current-URL": location.href },
        signal: stop.signal,
      });
      return [answer, await answer.text()];
    } finally {
      clearTimeout(timer);
    }
  }

  function show(form, answer, text) {
    if (answer.status === 401) return say(form, words.logged_out, logIn());
    const main = new DOMParser().parseFromString(text, "text/html").getElementById("main");
    if (main && (answer.ok || main.querySelector("form[data-send]"))) {
      document.getElementById("main").replaceWith(main);
      window.htmx?.process(main);
      return main.querySelector("[data-focus-once]") ?? main.focus();
    }
    const told = [...(main?.querySelectorAll("h1,.lead-text") ?? [])].map((each) => each.textContent.trim());
    return say(form, answer.status >= 500 || !told.length ? words.unanswered : `${told.join(" ")} ${words.kept}`);
  }

  async function send(form, submitter) {
    const body = new URLSearchParams(new FormData(form));
    if (submitter?.name) body.set(submitter.name, submitter.value);
    tell("anju:asked", form);
    try {
      const [answer, text] = await post(form, body);
      if (answer.redirected) return location.assign(answer.url);
      show(form, answer, text);
    } catch {
      say(form, words.unanswered);
    }
    return tell("anju:answered", form);
  }

  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || !event.target.matches("form[data-send]")) return;
    event.preventDefault();
    send(event.target, event.submitter);
  });
})();
