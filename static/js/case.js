// A case without scans: looks every 15 s whether its scans or its status have changed, and only then loads the page anew.
(function () {
  "use strict";
  const summary = (page) => {
    const viewer = page.getElementById("viewer");
    const files = page.querySelector(".files");
    return viewer && files ? `${viewer.dataset.state}|${files.textContent}|${page.querySelector(".head-title").textContent}` : null;
  };
  const now = summary(document);

  async function look() {
    if (document.hidden) return;
    try {
      const answer = await fetch(window.location.href, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const then = answer.ok ? summary(page) : null;
      if (then !== null && then !== now) window.location.reload();
    } catch {
      // no network just now; the next look tells
    }
  }

  setInterval(look, 15000);
})();
