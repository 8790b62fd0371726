// A case without scans: asks every 15 s whether anything of it has changed, and only then loads the page anew. Nobody's
// act: it keeps no session alive (X-Background), and what it asks for shows no patient.
(function () {
  "use strict";
  const { mark, url } = document.currentScript.dataset;

  async function look() {
    if (document.hidden) return;
    try {
      const answer = await fetch(url, { credentials: "same-origin", redirect: "error", headers: { "X-Background": "1" } });
      if (answer.ok && (await answer.text()) !== mark) window.location.reload();
    } catch {
      // no network just now, or the session has ended; the next look, or the next click, tells
    }
  }

  setInterval(look, 15000);
})();
