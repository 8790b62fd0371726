// What every page needs: the drawer on a phone, menus that close, copy and print buttons, one send per form.
(function () {
  "use strict";
  const opener = document.getElementById("menu-open");
  const drawer = document.getElementById("menu");

  function setDrawer(open) {
    document.body.classList.toggle("menu-open", open);
    opener.setAttribute("aria-expanded", String(open));
    document.getElementById("main").inert = open; // Tab stays in the drawer
    if (open) drawer.querySelector("a, summary, button").focus();
    else opener.focus();
  }

  if (opener && drawer) {
    opener.addEventListener("click", () => setDrawer(true));
    document.getElementById("menu-close").addEventListener("click", () => setDrawer(false));
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    if (document.body.classList.contains("menu-open")) setDrawer(false);
    const open = document.querySelector("details[data-menu][open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
    event.stopImmediatePropagation();
  });

  document.addEventListener("click", (event) => {
    document.querySelectorAll("details[data-menu][open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    const print = event.target.closest("[data-print]");
    if (print) window.print();
    const copy = event.target.closest("[data-copy]");
    if (copy && navigator.clipboard) {
      navigator.clipboard.writeText(copy.dataset.copy).then(() => {
        copy.textContent = copy.dataset.copied;
      });
    }
  });

  // A second click must not send twice. Downloads (data-again, on the form or its button) may: the page stays.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const stays = [form, event.submitter].some((one) => one && one.dataset.again !== undefined);
    if (form.method !== "post" || stays || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 5000);
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  });
})();
