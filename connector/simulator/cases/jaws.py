"""The meshes of one case: both jaws, the jaw before treatment, ditched dies, margin lines and textures."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from connector.simulator.cases.arch import Floats
from connector.simulator.cases.dentition import arch_teeth
from connector.simulator.cases.meshfiles import Mesh
from connector.simulator.cases.paint import painted
from connector.simulator.cases.spec import UPPER_TEETH, CaseSpec
from connector.simulator.cases.stump import MARGIN, ellipse_ring, grid_ring, stump_rows
from connector.simulator.cases.surface import Scan, Surface, scan_surface

TEXTURE_SIZE = (2048, 1024)


def upper_jaw(spec: CaseSpec, triangles: int | None = None) -> Mesh:
    """The upper jaw as last scanned; from the second scan on it is cleaner and its margins lie free."""
    return _mesh(_surface(_scanned_alike(spec, True), True, triangles or spec.triangles), spec.seed)


def lower_jaw(spec: CaseSpec, triangles: int | None = None) -> Mesh:
    """The lower jaw; a re-scan leaves it as it is."""
    return _mesh(_surface(_scanned_alike(spec, False), False, triangles or spec.triangles), spec.seed)


def jaw_before(spec: CaseSpec, upper: bool) -> Mesh:
    """The jaw as it was before the dentist prepared the teeth."""
    scan = Scan(upper, spec.triangles, spec.seed)
    return _mesh(scan_surface(arch_teeth(spec, upper, treated=False), scan), spec.seed)


def ditched_jaw(spec: CaseSpec, tooth: int) -> Mesh:
    """The prepared tooth and its neighbours, with the gum around the preparation cut back."""
    upper = tooth in UPPER_TEETH
    clean = upper and spec.revision > 1
    scan = Scan(upper, spec.triangles, spec.seed, clean, frozenset({tooth}))
    surface = scan_surface(arch_teeth(spec, upper), scan)
    place = _place(surface, tooth)
    start, stop = surface.columns.of(place - 1).start, surface.columns.of(place + 1).stop
    rows = slice(surface.crown_rows.start * 2 // 3, surface.crown_rows.stop + surface.crown_rows.start // 3)
    return _mesh(surface, spec.seed, slice(start, stop), rows)


def margin_line(spec: CaseSpec, tooth: int) -> Floats:
    """Points (n, 3) in mm on the edge of this tooth's preparation, as a closed ring on the jaw's surface."""
    upper = tooth in UPPER_TEETH
    surface = _surface(_scanned_alike(spec, upper), upper, spec.triangles)
    here = surface.columns.of(_place(surface, tooth))
    work = surface.teeth[_place(surface, tooth)].work
    grid = surface.points[here, surface.crown_rows]
    rows = np.linspace(1, -1, grid.shape[1])
    if work == "stump":
        along, across = grid_ring(181, MARGIN - 0.005)
        rows = stump_rows(grid.shape[1], work)
    else:
        along, across = ellipse_ring(121, 0.8, 0.3) if work == "cavity" else ellipse_ring(121, 0.85, 0.3)
        across = across if work == "cavity" else across + 0.62
    place_along = np.interp(along, surface.columns.along[here], np.arange(grid.shape[0]))
    place_across = np.interp(-across, -rows, np.arange(grid.shape[1]))
    return _between(grid, place_along, place_across)


def texture_jpeg(spec: CaseSpec, upper: bool) -> bytes:
    """The jaw's colours as a JPG that the mesh's texture places point into."""
    colours = painted(_surface(_scanned_alike(spec, upper), upper, spec.triangles), spec.seed)
    picture = Image.fromarray(np.ascontiguousarray(colours.transpose(1, 0, 2)[::-1]))
    memory = io.BytesIO()
    picture.resize(TEXTURE_SIZE, Image.Resampling.BICUBIC).save(memory, "JPEG", quality=88)
    return memory.getvalue()


def _scanned_alike(spec: CaseSpec, upper: bool) -> CaseSpec:
    """The spec, less what this jaw does not depend on, so that a lower jaw is computed once for all scans."""
    return replace(spec, revision=min(spec.revision, 2) if upper else 1)


@lru_cache(maxsize=4)
def _surface(spec: CaseSpec, upper: bool, triangles: int) -> Surface:
    return scan_surface(arch_teeth(spec, upper), Scan(upper, triangles, spec.seed, clean=spec.revision > 1))


def _place(surface: Surface, tooth: int) -> int:
    return next(place for place, one in enumerate(surface.teeth) if one.ada == tooth)


def _between(grid: Floats, along: Floats, across: Floats) -> Floats:
    """Points of the grid at fractional places."""
    first = np.clip(along.astype(int), 0, grid.shape[0] - 2)
    second = np.clip(across.astype(int), 0, grid.shape[1] - 2)
    a, b = (along - first)[:, None], (across - second)[:, None]
    near = grid[first, second] * (1 - b) + grid[first, second + 1] * b
    far = grid[first + 1, second] * (1 - b) + grid[first + 1, second + 1] * b
    return np.asarray(near * (1 - a) + far * a)


def _mesh(surface: Surface, seed: int, columns: slice = slice(None), rows: slice = slice(None)) -> Mesh:
    points = surface.points[columns, rows]
    wide, tall = points.shape[:2]
    u, v = np.meshgrid(np.linspace(0, 1, wide), np.linspace(0, 1, tall), indexing="ij")
    upper = bool(surface.points[..., 2].mean() > 0)
    return Mesh(
        points.reshape(-1, 3).astype(np.float32),
        _faces(wide, tall, turned=upper),
        painted(surface, seed)[columns, rows].reshape(-1, 3),
        np.stack([u, v], axis=-1).reshape(-1, 2).astype(np.float32),
    )


def _faces(wide: int, tall: int, *, turned: bool) -> NDArray[np.int32]:
    """Two triangles a cell, facing out of the mouth's soft parts."""
    corner = (np.arange(wide - 1)[:, None] * tall + np.arange(tall - 1)).ravel()
    a, b, c, d = corner, corner + tall, corner + tall + 1, corner + 1
    faces = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    return (faces[:, ::-1] if turned else faces).astype(np.int32)
