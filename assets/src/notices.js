/* The notice desk: what cannot be undone is asked once more in a dialog. */
(() => {
  "use strict";

  // What is to be ticked off first: says so there, and leads to the first that is not. The server looks as well.
  function checked(list) {
    const place = list && document.getElementById(list);
    const open = place ? place.querySelector("input:not(:checked)") : null;
    if (place) place.querySelector(".err").hidden = !open;
    if (open) open.focus();
    return !open;
  }

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener && checked(opener.dataset.needs)) document.getElementById(opener.dataset.opens).showModal();
    if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
  });
})();
