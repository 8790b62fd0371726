// Inbox: keyboard, selection, and a list that refreshes itself without losing what was selected.
(function () {
  "use strict";
  const list = document.getElementById("rows");
  const form = document.getElementById("cases");
  const download = document.getElementById("download");
  const pickAll = document.getElementById("pick-all");
  const keys = document.getElementById("keys");
  const announce = document.getElementById("announce");
  const stale = document.getElementById("stale");
  const boxes = () => [...list.querySelectorAll('input[name="order"]')];
  const rows = () => [...list.querySelectorAll("tr.row")];
  let marked = null; // id of the row that j and k moved to

  function showSelection() {
    const all = boxes();
    const count = all.filter((box) => box.checked).length;
    document.getElementById("picked").textContent = String(count);
    download.hidden = count === 0;
    pickAll.checked = count > 0 && count === all.length;
    pickAll.indeterminate = count > 0 && count < all.length;
  }

  function markedRow() {
    return rows().find((row) => row.dataset.id === marked);
  }

  function mark(row, focus) {
    rows().forEach((other) => other.classList.toggle("is-marked", other === row));
    marked = row ? row.dataset.id : null;
    if (!row) return;
    row.scrollIntoView({ block: "nearest" });
    if (focus) row.querySelector(".name a").focus({ preventScroll: true });
  }

  function move(step) {
    const all = rows();
    if (!all.length) return;
    const now = all.indexOf(markedRow());
    const next = now < 0 ? 0 : Math.min(all.length - 1, Math.max(0, now + step));
    mark(all[next], true);
  }

  function toggle(box, value) {
    box.checked = value;
    showSelection();
  }

  function downloadNow() {
    const row = markedRow();
    if (!boxes().some((box) => box.checked)) {
      if (!row) return;
      toggle(row.querySelector('input[name="order"]'), true);
    }
    form.requestSubmit();
  }

  const actions = {
    j: () => move(1),
    k: () => move(-1),
    x: () => {
      const row = markedRow();
      if (row) toggle(row.querySelector("input"), !row.querySelector("input").checked);
    },
    d: downloadNow,
    "/": () => document.getElementById("q").select(),
    "?": () => keys.showModal(),
    Escape: () => {
      boxes().forEach((box) => (box.checked = false));
      showSelection();
    },
    Enter: () => {
      const row = markedRow();
      if (row) window.location.assign(row.dataset.url);
    },
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
    const target = event.target;
    const typing = target.matches('input:not([type="checkbox"]), textarea, select');
    if (typing) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (event.key === "Enter" && target.closest("a, button, summary")) return; // the focused thing answers itself
    const action = actions[event.key];
    if (!action) return;
    if (event.key !== "Escape") event.preventDefault();
    action();
  });

  list.addEventListener("click", (event) => {
    const row = event.target.closest("tr.row");
    if (!row || event.target.closest("a, label, input, button") || String(window.getSelection())) return;
    if (event.ctrlKey || event.metaKey) window.open(row.dataset.url, "_blank", "noopener");
    else window.location.assign(row.dataset.url);
  });
  list.addEventListener("focusin", (event) => {
    const row = event.target.closest("tr.row");
    if (row && row.dataset.id !== marked) mark(row, false);
  });
  form.addEventListener("change", (event) => {
    if (event.target === pickAll) boxes().forEach((box) => (box.checked = pickAll.checked));
    showSelection();
  });
  form.addEventListener("submit", (event) => {
    if (!boxes().some((box) => box.checked)) event.preventDefault();
    else {
      waiting = Date.now() + 60000;
      setTimeout(() => window.htmx && window.htmx.trigger(list, "refresh"), 2000);
    }
  });

  // A download leaves this page as it is: what the portal says of it comes with the next refreshes.
  let waiting = 0;
  document.body.addEventListener("htmx:configRequest", (event) => {
    if (event.target === list && Date.now() < waiting) event.detail.headers["X-Notices"] = "1";
  });
  document.body.addEventListener("notices", (event) => {
    const said = event.detail.said.map(({ text, tone }) => {
      const banner = document.createElement("div");
      banner.className = `banner ${tone}`;
      banner.append(document.createElement("p"));
      banner.firstChild.textContent = text;
      return banner;
    });
    document.getElementById("notices").replaceChildren(...said);
    waiting = 0;
  });
  document.getElementById("keys-open").addEventListener("click", () => keys.showModal());

  // Every refresh replaces the rows; what a person selected, marked or focused is put back by case id.
  let before = null;
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target === list) event.preventDefault();
  });
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target !== list) return;
    if (/^\s*<!doctype/i.test(event.detail.xhr.responseText)) {
      event.detail.shouldSwap = false; // signed out meanwhile: show the log-in, not a page inside the list
      window.location.reload();
      return;
    }
    const focused = document.activeElement && list.contains(document.activeElement) ? document.activeElement : null;
    before = {
      checked: new Set(boxes().filter((box) => box.checked).map((box) => box.value)),
      known: new Set(rows().map((row) => row.dataset.id)),
      focused: focused && focused.closest("tr.row") ? focused.closest("tr.row").dataset.id : null,
      onBox: Boolean(focused && focused.matches("input")),
    };
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== list || !before) return;
    boxes().forEach((box) => (box.checked = before.checked.has(box.value)));
    showSelection();
    const arrived = rows().filter((row) => !before.known.has(row.dataset.id));
    arrived.forEach((row) => row.classList.add("just-in"));
    if (arrived.length) {
      announce.textContent = arrived.length === 1 ? announce.dataset.one : `${announce.dataset.many} ${arrived.length}`;
    }
    const row = markedRow();
    if (row) row.classList.add("is-marked");
    const focus = rows().find((other) => other.dataset.id === before.focused);
    if (focus) focus.querySelector(before.onBox ? "input" : ".name a").focus({ preventScroll: true });
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.target === list) stale.hidden = event.detail.successful || event.detail.xhr.status === 304;
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && window.htmx) window.htmx.trigger(list, "refresh");
  });
  window.addEventListener("pageshow", showSelection); // the browser may bring ticked boxes back
  showSelection();
})();
