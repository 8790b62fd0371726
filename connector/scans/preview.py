"""Previews: a mesh thinned to what a browser turns smoothly, with its colours, as a compact binary PLY."""

from pathlib import Path

import fast_simplification
import numpy as np
from numpy.typing import NDArray

from connector.scans.mesh import Bytes, Floats, Ints, Mesh, checked

MOST_TRIANGLES = 120_000
# The usual trade of shape for speed; higher where a first pass stays above the bound.
AGGRESSIONS = (7, 10)


def thinned(mesh: Mesh, most: int = MOST_TRIANGLES) -> Mesh:
    """At most `most` triangles; a colour is the mean of the vertices that became one. Raises MeshRejected."""
    mesh = _without_slivers(mesh)
    for aggression in AGGRESSIONS:
        if len(mesh.faces) <= most:
            return mesh
        thinner = _collapsed(mesh, most, aggression)
        mesh = thinner if thinner is not None else mesh
    # Loose triangles share no edge that could be collapsed; a grid thins those too.
    cell = max(*mesh.box_mm, 0.001) / 512
    while len(mesh.faces) > most:
        mesh, cell = _snapped(mesh, cell), cell * 1.5
    return mesh


def _without_slivers(mesh: Mesh) -> Mesh:
    a, b, c = mesh.faces.T
    proper = (a != b) & (b != c) & (c != a)
    return mesh if proper.all() else checked(mesh.vertices, mesh.faces[proper], mesh.colors)


def _collapsed(mesh: Mesh, most: int, aggression: int) -> Mesh | None:
    """Edges collapsed by least error; None when the result is unsound."""
    points, faces, collapses = fast_simplification.simplify(
        mesh.vertices, mesh.faces, target_count=most, agg=aggression, return_collapses=True
    )
    vertices, triangles = np.asarray(points, np.float32), np.asarray(faces, np.int32)
    if not len(triangles) or not bool(np.isfinite(vertices).all()):
        return None
    if mesh.colors is None:
        return Mesh(vertices, triangles)
    roots = _survivors(collapses, len(mesh.vertices))
    kept = np.unique(_proper(roots[mesh.faces]))
    # Survivors come out in their old order; were that ever untrue, colours would land on the wrong teeth.
    if len(kept) != len(vertices):
        return None
    return Mesh(vertices, triangles, _mean_colors(mesh.colors, roots)[kept])


def _survivors(collapses: NDArray[np.integer], vertices: int) -> NDArray[np.int64]:
    """For each vertex the one that it ended up in; `collapses` (k, 2) says into which and which."""
    parent = np.arange(vertices, dtype=np.int64)
    parent[collapses[:, 1]] = collapses[:, 0]
    while True:
        further = parent[parent]
        if np.array_equal(further, parent):
            return parent
        parent = further


def _proper(faces: NDArray[np.int64]) -> NDArray[np.int64]:
    a, b, c = faces.T
    proper: NDArray[np.int64] = faces[(a != b) & (b != c) & (c != a)]
    return proper


def _mean_colors(colors: Bytes, groups: NDArray[np.int64]) -> Bytes:
    """For each group number the mean colour of its vertices, uint8 (n, 3)."""
    size = np.bincount(groups, minlength=len(colors)).clip(1)
    sums = [np.bincount(groups, weights=colors[:, channel], minlength=len(colors)) for channel in range(3)]
    return np.stack([np.rint(each / size).astype(np.uint8) for each in sums], axis=1)


def _snapped(mesh: Mesh, cell: float) -> Mesh:
    """Vertices of one grid cell (mm) become one, flat triangles go."""
    grid = np.floor((mesh.vertices - mesh.vertices.min(axis=0)) / np.float32(cell)).astype(np.int64)
    keys = (grid[:, 0] << 42) | (grid[:, 1] << 21) | grid[:, 2]
    _, first, groups = np.unique(keys, return_index=True, return_inverse=True)
    faces = np.unique(np.sort(_proper(groups.reshape(-1)[mesh.faces]), axis=1), axis=0)
    colors = None if mesh.colors is None else mesh.colors[first]
    return Mesh(mesh.vertices[first], faces.astype(np.int32), colors)


def write_preview(mesh: Mesh, path: Path) -> None:
    """Write a little-endian PLY: float32 positions, uchar colours if any, int32 faces; used vertices only."""
    vertices, faces, colors = _used(mesh)
    columns: list[tuple[str, str, int]] = [("position", "<f4", 3)]
    lines = ["ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}"]
    lines += [f"property float {axis}" for axis in "xyz"]
    if colors is not None:
        columns.append(("color", "u1", 3))
        lines += [f"property uchar {color}" for color in ("red", "green", "blue")]
    lines += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    table = np.empty(len(vertices), np.dtype(columns))
    table["position"] = vertices
    if colors is not None:
        table["color"] = colors
    rows = np.empty(len(faces), np.dtype([("sides", "u1"), ("corners", "<i4", 3)]))
    rows["sides"], rows["corners"] = 3, faces
    with path.open("wb") as file:
        file.write(("\n".join(lines) + "\n").encode("ascii"))
        file.write(table.tobytes())
        file.write(rows.tobytes())


def _used(mesh: Mesh) -> tuple[Floats, Ints, Bytes | None]:
    used, faces = np.unique(mesh.faces, return_inverse=True)
    colors = None if mesh.colors is None else mesh.colors[used]
    return mesh.vertices[used], faces.reshape(-1, 3).astype(np.int32), colors
