/* The map: a mark is a way to its premises for the pointer; the list beside it is the way for everybody. */
(() => {
  "use strict";
  document.addEventListener("click", (event) => {
    const mark = event.target.closest(".map [data-href]");
    if (mark) location.assign(mark.dataset.href);
  });
})();
