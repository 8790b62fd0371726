// Passkeys: what went wrong is said in words on the page. The ceremony itself is allauth's script.
(function () {
  "use strict";
  function say(key) {
    const box = document.getElementById("passkey_problem");
    box.textContent = box.dataset[key];
    box.hidden = false;
    const main = document.getElementById("main");
    main.insertBefore(box, main.querySelector("h1").nextSibling);
  }

  document.addEventListener("allauth.error", (event) => {
    event.preventDefault(); // or it is only written to the console
    say(event.detail.exception && event.detail.exception.name === "InvalidStateError" ? "known" : "refused");
  });

  document.addEventListener("DOMContentLoaded", () => {
    if (window.PublicKeyCredential) return;
    document.querySelectorAll("#passkey_button, #passkey_login").forEach((button) => {
      button.disabled = true;
    });
    if (!document.getElementById("passkey_login")) say("missing");
  });
})();
