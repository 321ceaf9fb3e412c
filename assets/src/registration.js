/* The clerk's desk: a number is seen in its groups, a room is chosen by its tile, and the hands stay on the keyboard when
   premises were chosen. The receipt is printed. */
(() => {
  "use strict";
  const room = () => document.getElementById("room");

  function press() {
    if (!room()) return;
    document.querySelectorAll(".room[data-room]").forEach((tile) => {
      tile.setAttribute("aria-pressed", String(tile.dataset.room === room().value.trim()));
    });
  }

  document.addEventListener("click", (event) => {
    const tile = event.target.closest(".room[data-room]");
    if (!tile) return;
    room().value = tile.dataset.room;
    press();
    room().focus();
  });

  document.addEventListener("input", (event) => {
    if (event.target === room()) press();
  });

  // Only a passport names its country; the field is there before the hand has left the list of kinds.
  document.addEventListener("change", (event) => {
    if (event.target.name !== "person.document.kind") return;
    document.getElementById("country").hidden = event.target.value !== "passport";
  });

  /* The number of a card in the groups it is printed in. The field keeps what was typed, so that the caret stays where
     the hand is; with the last character it is asked at once what the number says. */
  const CARD = 18;
  let whole = "";
  function group() {
    const field = number();
    if (!field) return;
    const shown = document.getElementById("number-groups");
    const typed = field.value.normalize("NFKC").replace(/\s/g, "").toUpperCase();
    shown.hidden = !typed || field.form.elements["person.document.kind"].value === "passport";
    const misread = document.querySelector("#number-says [data-misread]")?.dataset.misread;
    [typed.slice(0, 6), typed.slice(6, 14), typed.slice(14)].forEach((text, at) => {
      shown.children[at].textContent = text;
      shown.children[at].classList.toggle("again", misread === "date" ? at === 1 : Boolean(misread));
    });
    shown.lastElementChild.textContent =
      typed.length === CARD ? "" : shown.dataset.of.replace("{typed}", typed.length).replace("{whole}", CARD);
    if (typed.length === CARD && typed !== whole && document.activeElement === field)
      field.dispatchEvent(new Event("anju:whole", { bubbles: true }));
    whole = typed.length === CARD ? typed : "";
  }
  document.addEventListener("input", (event) => {
    if (event.target === number() && !event.isComposing) group();
  });
  document.addEventListener("change", (event) => {
    if (event.target.name === "person.document.kind") group();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) print();
  });

  /* Where the hand goes once the button that was pressed is gone; another answer may come before its own does. */
  let next = "";
  document.addEventListener("click", (event) => {
    if (event.target.closest("#places button")) next = "room";
    else if (event.target.closest("#place button")) next = "premises_id";
  });
  const number = () => document.querySelector('[name="person.document.number"]');
  document.addEventListener("htmx:after:swap", () => {
    press();
    group();
    number()?.classList.toggle("is-advice", Boolean(document.querySelector("#number-says .advice")));
    if (!next || Boolean(document.querySelector("#place .chosen")) !== (next === "room")) return;
    document.getElementById(next)?.focus();
    next = "";
  });
  function begin() {
    press();
    group();
  }
  document.addEventListener("anju:answered", begin);
  begin();
})();
