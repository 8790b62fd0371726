// Files do not say which way is up: found from the jaws themselves, so that Front is the front whatever scanner wrote the file.
import { Box3, Matrix4, Vector3 } from "three";

const AXES = [new Vector3(1, 0, 0), new Vector3(0, 1, 0), new Vector3(0, 0, 1)];

function boxOf(jaws) {
  const box = new Box3();
  jaws.forEach(({ geometry }) => {
    if (!geometry.boundingBox) geometry.computeBoundingBox();
    box.union(geometry.boundingBox);
  });
  return box;
}

// The axis from the lower to the upper jaw; with one jaw only, the axis along which it is flattest.
function findUp(jaws, size) {
  const upper = jaws.filter((jaw) => jaw.role === "upper");
  const lower = jaws.filter((jaw) => jaw.role === "lower");
  if (upper.length && lower.length) {
    const apart = boxOf(upper).getCenter(new Vector3()).sub(boxOf(lower).getCenter(new Vector3())).toArray();
    const axis = apart.map(Math.abs).indexOf(Math.max(...apart.map(Math.abs)));
    if (Math.abs(apart[axis]) > size[axis] * 0.1) return { axis, sign: Math.sign(apart[axis]) };
  }
  return { axis: size.indexOf(Math.min(...size)), sign: 1 };
}

// A dental arch is widest at its back teeth and has its front teeth in the middle.
function frontSign(jaws, box, side, deep) {
  const middle = box.getCenter(new Vector3()).toArray();
  const width = box.getSize(new Vector3()).toArray()[side];
  const sums = { inner: 0, innerCount: 0, outer: 0, outerCount: 0 };
  jaws.forEach(({ geometry }) => {
    const points = geometry.getAttribute("position");
    const step = Math.max(1, Math.floor(points.count / 20000));
    for (let i = 0; i < points.count; i += step) {
      const off = Math.abs(points.getComponent(i, side) - middle[side]) / width;
      const kind = off < 0.12 ? "inner" : off > 0.42 ? "outer" : null;
      if (!kind) continue;
      sums[kind] += points.getComponent(i, deep);
      sums[`${kind}Count`] += 1;
    }
  });
  if (!sums.innerCount || !sums.outerCount) return -1;
  return sums.inner / sums.innerCount > sums.outer / sums.outerCount ? 1 : -1;
}

// jaws: [{ role, geometry }]. Returns the rotation from the file's axes to ours: x to the patient's left, y to the back, z up.
export function findFrame(jaws) {
  const box = boxOf(jaws);
  const up = findUp(jaws, box.getSize(new Vector3()).toArray());
  const side = up.axis === 0 ? 1 : 0;
  const deep = 3 - up.axis - side;
  const head = AXES[up.axis].clone().multiplyScalar(up.sign);
  const front = AXES[deep].clone().multiplyScalar(frontSign(jaws, box, side, deep));
  const left = new Vector3().crossVectors(head, front);
  const back = front.clone().negate();
  return new Matrix4().makeBasis(left, back, head).transpose();
}
