// Fetches one scan file and turns it into a smooth-shaded geometry.
import { PLYLoader } from "three/examples/jsm/loaders/PLYLoader.js";
import { STLLoader } from "three/examples/jsm/loaders/STLLoader.js";
import { weld } from "./weld.js";

async function fetchBytes(model, onProgress) {
  const answer = await fetch(model.url, { credentials: "same-origin" });
  if (!answer.ok) throw Object.assign(new Error(`the server answered ${answer.status}`), { status: answer.status });
  if (!answer.body) return answer.arrayBuffer();
  const reader = answer.body.getReader();
  const parts = [];
  let received = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    received += value.length;
    onProgress(received);
  }
  const bytes = new Uint8Array(received);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes.buffer;
}

// Gives the progress bar a chance to be painted before the parser takes the thread.
const nextFrame = () => new Promise((resolve) => setTimeout(resolve, 0));

function check(geometry) {
  const position = geometry.getAttribute("position");
  const corners = geometry.index ? geometry.index.count : position ? position.count : 0;
  if (!position || corners < 3) throw new Error("there are no triangles in this file");
  const size = position.count;
  for (let i = 0; geometry.index && i < geometry.index.count; i += 1) {
    if (geometry.index.array[i] >= size) throw new Error("a triangle names a point that is not in the file");
  }
  geometry.computeBoundingSphere();
  if (!(geometry.boundingSphere.radius > 0)) throw new Error("the points of this file are not numbers, or all the same");
}

// Returns a BufferGeometry with position, normal, index, and colour where the file has it; throws an Error with the reason.
export async function loadGeometry(model, onProgress) {
  const bytes = await fetchBytes(model, onProgress);
  await nextFrame();
  let geometry;
  if (model.format === "ply") geometry = new PLYLoader().parse(bytes);
  else geometry = weld(new STLLoader().parse(bytes));
  check(geometry);
  geometry.computeVertexNormals();
  return geometry;
}
