/* Find my scan: says so when the portal itself does not answer; htmx alone would leave the place empty. */
(() => {
  "use strict";
  const failed = document.getElementById("ask-failed");
  if (!failed) return;
  document.body.addEventListener("htmx:beforeRequest", () => { failed.hidden = true; });
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.body.addEventListener(name, () => { failed.hidden = false; });
  }
})();
