// An STL repeats every point once per triangle; joining equal points makes smooth shading and a third of the memory.
import { BufferAttribute, BufferGeometry } from "three";

// Takes a geometry without index; returns an indexed one whose equal points (bit for bit) are one.
export function weld(source) {
  const points = source.getAttribute("position").array;
  const bits = new Uint32Array(points.buffer, points.byteOffset, points.length);
  const corners = Math.floor(points.length / 9) * 3;
  let slots = 1;
  while (slots < corners * 2) slots *= 2;
  const table = new Int32Array(slots).fill(-1);
  const index = new Uint32Array(corners);
  const kept = new Float32Array(corners * 3);
  const keptBits = new Uint32Array(kept.buffer);
  let count = 0;
  for (let corner = 0; corner < corners; corner += 1) {
    const x = bits[corner * 3];
    const y = bits[corner * 3 + 1];
    const z = bits[corner * 3 + 2];
    let slot = Math.imul(x, 73856093) ^ Math.imul(y, 19349663) ^ Math.imul(z, 83492791);
    slot = (slot ^ (slot >>> 15)) & (slots - 1);
    let found = table[slot];
    while (found >= 0 && (keptBits[found * 3] !== x || keptBits[found * 3 + 1] !== y || keptBits[found * 3 + 2] !== z)) {
      slot = (slot + 1) & (slots - 1);
      found = table[slot];
    }
    if (found < 0) {
      found = count;
      count += 1;
      table[slot] = found;
      keptBits[found * 3] = x;
      keptBits[found * 3 + 1] = y;
      keptBits[found * 3 + 2] = z;
    }
    index[corner] = found;
  }
  const welded = new BufferGeometry();
  welded.setAttribute("position", new BufferAttribute(kept.slice(0, count * 3), 3));
  welded.setIndex(new BufferAttribute(index, 1));
  return welded;
}
