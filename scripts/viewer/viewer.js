// The 3D view of a case's scans: reads #viewer-models, shows the jaws, draws only when something changed.
import { createStage } from "./stage.js";
import { findFrame } from "./frame.js";
import { loadGeometry } from "./models.js";

const INITIAL_ROLES = ["upper", "lower"];

function start(root) {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const text = root.dataset;
  const models = JSON.parse(document.getElementById("viewer-models").textContent);
  const stage = createStage(part("stage"), text.textHint);
  if (!stage) {
    root.dataset.state = "unsupported";
    part("message-text").textContent = text.textWebgl;
    part("progress").hidden = true;
    return;
  }

  const wanted = models.filter((model) => INITIAL_ROLES.includes(model.role));
  const first = new Set(wanted.length ? wanted : models.slice(0, 1));
  const entries = models.map((model) => ({ model, on: first.has(model), state: "waiting", received: 0, mesh: null }));
  let settled = false; // true once a person has turned the scan, or all the first ones are there

  function showProgress() {
    const loading = entries.filter((entry) => entry.state === "loading");
    part("message").hidden = loading.length === 0;
    if (!loading.length) return;
    const total = loading.reduce((sum, entry) => sum + (entry.model.bytes || 0), 0);
    const received = loading.reduce((sum, entry) => sum + entry.received, 0);
    const share = total ? Math.min(100, Math.round((100 * received) / total)) : 0;
    part("message-text").textContent = `${text.textLoading} ${loading.map((e) => e.model.label).join(", ")}${total ? ` · ${share} %` : ""}`;
    if (total) part("progress").value = share;
  }

  function showState() {
    const ready = entries.filter((entry) => entry.state === "ready");
    const visible = ready.filter((entry) => entry.on);
    root.dataset.triangles = String(visible.reduce((sum, entry) => sum + entry.mesh.userData.triangles, 0));
    if (ready.length) root.dataset.state = "ready";
    else if (entries.every((entry) => !entry.on || entry.state === "failed")) root.dataset.state = "error";
    part("colour").hidden = !ready.some((entry) => entry.mesh.userData.hasColour);
    entries.forEach((entry) => {
      entry.button.setAttribute("aria-pressed", String(entry.on && entry.state !== "failed"));
      entry.button.disabled = entry.state === "failed";
      entry.slider.hidden = entry.state !== "ready" || !entry.on;
    });
  }

  function refuse(entry, error) {
    entry.state = "failed";
    console.warn(`viewer: ${entry.model.label}: ${error.message}`);
    const line = document.createElement("li");
    const name = document.createElement("bdi");
    name.textContent = entry.model.label;
    line.append(name, `: ${error.status >= 500 ? text.textAway : text.textFailed}`);
    part("problems").append(line);
  }

  // Each jaw that comes in tells more about where up and front are; afterwards the view belongs to the person.
  function turnToFront() {
    const ready = entries.filter((entry) => entry.state === "ready" && entry.on);
    stage.orient(findFrame(ready.map((entry) => ({ role: entry.model.role, geometry: entry.mesh.geometry }))));
    stage.view("front");
    settled = entries.every((entry) => entry.state !== "loading");
  }

  // Top is the view onto the chewing surfaces: an upper jaw alone is seen from below.
  function standardView(name) {
    const shown = entries.filter((entry) => entry.state === "ready" && entry.on);
    const upperOnly = shown.length > 0 && shown.every((entry) => entry.model.role === "upper");
    stage.view(name === "top" && upperOnly ? "below" : name);
  }

  async function load(entry) {
    entry.state = "loading";
    showProgress();
    try {
      const geometry = await loadGeometry(entry.model, (received) => {
        entry.received = received;
        showProgress();
      });
      entry.mesh = stage.add(geometry);
      entry.mesh.visible = entry.on;
      entry.state = "ready";
      if (!settled) turnToFront();
    } catch (error) {
      refuse(entry, error);
    }
    showProgress();
    showState();
    stage.draw();
  }

  function toggle(entry) {
    entry.on = !entry.on;
    if (entry.mesh) entry.mesh.visible = entry.on;
    if (entry.on && entry.state === "waiting") load(entry);
    showState();
    stage.draw();
  }

  function addControls(entry) {
    entry.button = document.createElement("button");
    entry.button.type = "button";
    entry.button.className = "button small";
    entry.button.textContent = entry.model.label;
    entry.button.dataset.role = entry.model.role;
    entry.button.addEventListener("click", () => toggle(entry));
    part("models").append(entry.button);

    entry.slider = document.createElement("label");
    const range = document.createElement("input");
    Object.assign(range, { type: "range", min: "10", max: "100", step: "5", value: "100" });
    entry.slider.append(entry.model.label, range);
    range.addEventListener("input", () => stage.setOpacity(entry.mesh, Number(range.value) / 100));
    part("opacity").append(entry.slider);
  }

  entries.forEach(addControls);
  part("views").hidden = false;
  part("tools").hidden = false;
  part("views").addEventListener("click", (event) => {
    const button = event.target.closest("[data-view]");
    if (button) standardView(button.dataset.view);
  });
  const takeOver = () => {
    if (entries.some((entry) => entry.state === "ready")) settled = true;
  };
  for (const kind of ["pointerdown", "wheel", "keydown"]) root.addEventListener(kind, takeOver, { passive: true });
  part("colour").addEventListener("click", () => {
    const on = part("colour").getAttribute("aria-pressed") !== "true";
    part("colour").setAttribute("aria-pressed", String(on));
    stage.setColour(on);
  });
  showState();
  root.dataset.state = "loading";
  entries.filter((entry) => entry.on).forEach(load);
}

const root = document.getElementById("viewer");
if (root && document.getElementById("viewer-models")) start(root);
