"""First plain version."""
from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from connector.simulator.cases.meshfiles import Mesh
from connector.simulator.cases.spec import CaseSpec


def _jaw(spec: CaseSpec, sign: float) -> Mesh:
    nu = int((spec.triangles / 2 * 2.2) ** 0.5); nv = int(spec.triangles / 2 / nu)
    a, v = np.meshgrid(np.linspace(-1.5, 1.5, nu), np.linspace(-1, 1, nv), indexing="ij")
    r = 5 * v
    x = (25 - r) * np.sin(a); y = 45 - (45 - r) * np.cos(a)
    z = sign * (8 - 14 * (1 - np.abs(v) ** 3) * (0.8 + 0.2 * np.cos(a * 14)))
    p = np.stack([x, y, z], -1).reshape(-1, 3).astype(np.float32)
    i = (np.arange(nu - 1)[:, None] * nv + np.arange(nv - 1)).ravel()
    f = np.concatenate([np.stack([i, i + nv, i + 1], 1), np.stack([i + 1, i + nv, i + nv + 1], 1)]).astype(np.int32)
    return Mesh(p, f, np.full((len(p), 3), 210, np.uint8), np.zeros((len(p), 2), np.float32))

def upper_jaw(spec: CaseSpec) -> Mesh:
    m = _jaw(spec, 1.0)
    return Mesh(m.vertices + np.float32(spec.revision - 1), m.faces, m.colours, m.places)
def lower_jaw(spec: CaseSpec) -> Mesh:
    return _jaw(spec, -1.0)
def jaw_before(spec: CaseSpec, upper: bool) -> Mesh:
    return upper_jaw(spec) if upper else lower_jaw(spec)
def ditched_jaw(spec: CaseSpec, tooth: int) -> Mesh:
    return jaw_before(spec, tooth < 17)
def margin_line(spec: CaseSpec, tooth: int) -> NDArray[np.float64]:
    return np.zeros((3, 3))
def texture_jpeg(spec: CaseSpec, upper: bool) -> bytes:
    memory = io.BytesIO()
    Image.new("RGB", (64, 64), (210, 150, 140)).save(memory, "JPEG")
    return memory.getvalue()
