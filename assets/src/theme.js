/* Theme and language: settles the theme before the first paint, and keeps both choices in cookies (a year). */
(() => {
  "use strict";
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function settle() {
    const wanted = root.dataset.theme;
    root.dataset.bsTheme = wanted === "dark" || (wanted === "auto" && dark.matches) ? "dark" : "light";
  }

  function keep(name, value) {
    // Cookies ignore ports, so one choice holds for the portal and every service.
    document.cookie = `${name}=${value}; Path=/; Max-Age=31536000; SameSite=Lax`;
  }

  settle();
  dark.addEventListener("change", settle);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-to],[data-lang-to]");
    if (!button) return;
    if (button.dataset.themeTo) {
      root.dataset.theme = button.dataset.themeTo;
      keep("anju_theme", root.dataset.theme);
      settle();
      // The pressed button has just been hidden; its twin takes the focus.
      button.parentElement.querySelector(`[data-theme-to]:not([data-theme-to="${root.dataset.theme}"])`)?.focus();
    } else {
      keep("anju_lang", button.dataset.langTo);
      window.location.reload();
    }
  });

  // The person's menu closes like a menu: by Escape and by a click elsewhere.
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
})();
