/* The clerk's desk: a room is chosen by its tile, and the hands stay where they are when premises were chosen. */
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

  let choosing = false;
  document.addEventListener("click", (event) => {
    if (event.target.closest("#places button")) choosing = true;
  });
  document.addEventListener("htmx:after:swap", () => {
    press();
    // The button that was pressed is gone: the next thing to type is the room.
    if (choosing && document.querySelector("#place .chosen")) {
      choosing = false;
      room().focus();
    }
  });
  press();
})();
