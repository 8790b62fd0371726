// Light, dark or as the system says. Loaded in the head, before the first paint, so that nothing flashes.
(function () {
  "use strict";
  const key = "portal-theme";
  const root = document.documentElement;

  function stored() {
    try {
      return localStorage.getItem(key) || "auto";
    } catch {
      return "auto"; // storage is blocked in some private windows
    }
  }

  function apply(choice) {
    if (choice === "light" || choice === "dark") root.dataset.theme = choice;
    else delete root.dataset.theme;
    document.querySelectorAll("[data-theme-choice]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
    });
  }

  apply(stored());
  document.addEventListener("DOMContentLoaded", () => apply(stored()));
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-theme-choice]");
    if (!button) return;
    try {
      localStorage.setItem(key, button.dataset.themeChoice);
    } catch {
      // the choice then lasts for this page only
    }
    apply(button.dataset.themeChoice);
  });
})();
