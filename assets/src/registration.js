/* The clerk's desk: a room is chosen by its tile, and the hands stay on the keyboard when premises were chosen. */
(() => {
  "use strict";
  const room = () => document.getElementById("room");

  function press() {
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

  let choosing = false;
  document.addEventListener("click", (event) => {
    if (event.target.closest("#places button, #place button")) choosing = true;
  });
  const number = () => document.querySelector('[name="person.document.number"]');
  document.addEventListener("htmx:after:swap", () => {
    press();
    number()?.classList.toggle("is-advice", Boolean(document.querySelector("#number-says .advice")));
    if (!choosing || !document.getElementById("place")) return;
    // The button that was pressed is gone: the next thing to type is the room, or another address.
    choosing = false;
    (document.querySelector("#place .chosen") ? room() : document.getElementById("premises_id")).focus();
  });
  press();
})();
