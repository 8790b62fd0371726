// The stage: camera, light, orbit, standard views. Draws on demand, never in a loop.
import {
  Box3,
  Color,
  DirectionalLight,
  DoubleSide,
  Group,
  HemisphereLight,
  Mesh,
  MeshStandardMaterial,
  PerspectiveCamera,
  Scene,
  Sphere,
  Spherical,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";

const IVORY = new Color("#efe4cd");
const WHITE = new Color("#ffffff");
const MARGIN = 1.12;
// At the outline of a dense scan, triangles that just turn away would be lit as if seen from inside: dark dots. Keep their side.
const KEEP_OUTLINE = `#include <normal_fragment_begin>
  if (!gl_FrontFacing && dot(normalize(vNormal), normalize(vViewPosition)) > -0.08) normal = -normal;`;

// Where the camera stands for each view: x is the patient's left, y the back, z up. The small parts keep off the poles.
const DIRECTIONS = {
  top: new Vector3(0, -0.02, 1),
  below: new Vector3(0, -0.02, -1), // onto the chewing surfaces of an upper jaw
  front: new Vector3(0, -1, 0.14),
  left: new Vector3(1, -0.12, 0.1),
  right: new Vector3(-1, -0.12, 0.1),
};

function createRenderer() {
  try {
    return new WebGLRenderer({ antialias: true, alpha: true });
  } catch {
    return null;
  }
}

// The light follows the eye: no side of a tooth is ever black. Returns the sky, which draw() turns with the camera.
function light(scene, camera) {
  const sky = new HemisphereLight(0xffffff, 0x7f756e, 1.8);
  const key = new DirectionalLight(0xfff8ee, 2.05);
  key.position.set(-0.45, 0.7, 0.9);
  const fill = new DirectionalLight(0xe6eeff, 0.45);
  fill.position.set(0.9, -0.25, 0.5);
  camera.add(key, key.target, fill, fill.target);
  scene.add(camera, sky);
  return sky;
}

// Returns null without WebGL, else { add, orient, view, setOpacity, setColour, draw }.
export function createStage(host, hint) {
  const renderer = createRenderer();
  if (!renderer) return null;
  const canvas = renderer.domElement;
  const scene = new Scene();
  const camera = new PerspectiveCamera(26, 1, 0.1, 2000);
  camera.up.set(0, 0, 1);
  const jaws = new Group();
  scene.add(jaws);
  const sky = light(scene, camera);
  renderer.setClearColor(0x000000, 0);
  renderer.setPixelRatio(Math.min(2, window.devicePixelRatio || 1));
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", hint);
  host.append(canvas);

  const controls = new OrbitControls(camera, canvas);
  controls.enableDamping = false;
  controls.zoomToCursor = true;
  controls.rotateSpeed = 0.9;

  let asked = false;
  function draw() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      const above = new Vector3(0, 1, 0).applyQuaternion(camera.quaternion);
      sky.position.copy(camera.position).sub(controls.target).normalize().addScaledVector(above, 0.9);
      renderer.render(scene, camera);
    });
  }
  controls.addEventListener("change", draw);

  function sphere() {
    const box = new Box3();
    const shown = jaws.children.filter((mesh) => mesh.visible);
    (shown.length ? shown : jaws.children).forEach((mesh) => box.expandByObject(mesh));
    const around = box.isEmpty() ? new Sphere(new Vector3(), 1) : box.getBoundingSphere(new Sphere());
    return { center: around.center, box, radius: around.radius };
  }

  function distanceFor(box, center, direction) {
    // Far enough that all eight corners of the box lie inside the picture, seen along the direction.
    const side = new Vector3().crossVectors(camera.up, direction).normalize();
    const above = new Vector3().crossVectors(direction, side).normalize();
    const tall = Math.tan((camera.fov * Math.PI) / 360);
    let distance = 0;
    for (let i = 0; i < 8; i += 1) {
      const corner = new Vector3(i & 1 ? box.max.x : box.min.x, i & 2 ? box.max.y : box.min.y, i & 4 ? box.max.z : box.min.z).sub(center);
      const near = corner.dot(direction);
      const reach = Math.max(Math.abs(corner.dot(above)) / tall, Math.abs(corner.dot(side)) / (tall * camera.aspect));
      distance = Math.max(distance, reach + near);
    }
    return distance * MARGIN;
  }

  function view(name) {
    const { center, box, radius } = sphere();
    const direction = name === "fit" ? camera.position.clone().sub(controls.target) : DIRECTIONS[name].clone();
    if (direction.lengthSq() === 0) direction.copy(DIRECTIONS.front);
    direction.normalize();
    const distance = box.isEmpty() ? 3 : distanceFor(box, center, direction);
    camera.position.copy(center).addScaledVector(direction, distance);
    camera.near = Math.max(radius / 200, 0.01);
    camera.far = radius * 60;
    controls.minDistance = radius * 0.08;
    controls.maxDistance = radius * 20;
    camera.updateProjectionMatrix();
    controls.target.copy(center);
    controls.update();
    draw();
  }

  function turn(across, up) {
    const offset = camera.position.clone().sub(controls.target);
    const turned = new Spherical().setFromVector3(new Vector3(offset.x, offset.z, -offset.y));
    turned.theta -= across;
    turned.phi = Math.min(Math.PI - 0.01, Math.max(0.01, turned.phi - up));
    const v = new Vector3().setFromSpherical(turned);
    camera.position.copy(controls.target).add(new Vector3(v.x, -v.z, v.y));
    controls.update();
    draw();
  }

  function zoom(factor) {
    camera.position.sub(controls.target).multiplyScalar(factor).add(controls.target);
    controls.update();
    draw();
  }

  const keys = {
    ArrowLeft: () => turn(-0.12, 0),
    ArrowRight: () => turn(0.12, 0),
    ArrowUp: () => turn(0, 0.12),
    ArrowDown: () => turn(0, -0.12),
    "+": () => zoom(0.88),
    "-": () => zoom(1 / 0.88),
    f: () => view("fit"),
  };
  canvas.addEventListener("keydown", (event) => {
    const action = keys[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });
  canvas.addEventListener("webglcontextrestored", draw);

  function resize() {
    const width = Math.max(1, host.clientWidth);
    const height = Math.max(1, host.clientHeight);
    renderer.setSize(width, height, false);
    camera.aspect = width / height;
    camera.updateProjectionMatrix();
    draw();
  }
  new ResizeObserver(resize).observe(host);
  resize();

  function add(geometry) {
    const hasColour = geometry.hasAttribute("color");
    const material = new MeshStandardMaterial({ roughness: 0.55, metalness: 0, side: DoubleSide, vertexColors: hasColour });
    material.color.copy(hasColour ? WHITE : IVORY);
    material.onBeforeCompile = (shader) => {
      shader.fragmentShader = shader.fragmentShader.replace("#include <normal_fragment_begin>", KEEP_OUTLINE);
    };
    const mesh = new Mesh(geometry, material);
    mesh.userData.hasColour = hasColour;
    mesh.userData.triangles = Math.floor((geometry.index ? geometry.index.count : geometry.getAttribute("position").count) / 3);
    jaws.add(mesh);
    return mesh;
  }

  function orient(rotation) {
    jaws.quaternion.setFromRotationMatrix(rotation);
    jaws.updateMatrixWorld(true);
  }

  function setOpacity(mesh, opacity) {
    mesh.material.opacity = opacity;
    mesh.material.transparent = opacity < 1;
    mesh.material.depthWrite = opacity >= 1;
    mesh.renderOrder = opacity < 1 ? 1 : 0;
    mesh.material.needsUpdate = true;
    draw();
  }

  function setColour(on) {
    jaws.children.filter((mesh) => mesh.userData.hasColour).forEach((mesh) => {
      mesh.material.vertexColors = on;
      mesh.material.color.copy(on ? WHITE : IVORY);
      mesh.material.needsUpdate = true;
    });
    draw();
  }

  return { add, orient, view, setOpacity, setColour, draw };
}
