"""The gallery JPGs of an export: one overview and the five views that orthodontists ask for."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import lru_cache

from connector.simulator.cases.jaws import lower_jaw, upper_jaw
from connector.simulator.cases.meshfiles import Mesh
from connector.simulator.cases.render import Camera, render
from connector.simulator.cases.spec import CaseSpec

DETAIL = 50_000  # triangles a jaw in a picture; more would not be seen at 800 × 600
SIZE, COARSE_SIZE, COARSE = (800, 600), (240, 180), 10_000  # a coarse jaw shows no more in a larger picture
UP = (0.0, 0.0, 1.0)
# Which jaws are shown, and from where; x runs to the patient's left, y to the back, z up.
VIEWS: dict[str, tuple[str, Camera]] = {
    "": ("both", Camera((0.62, 0.8, -0.06), UP)),
    "_penta_front_m": ("both", Camera((0.0, 1.0, 0.0), UP)),
    "_penta_left_m": ("both", Camera((-1.0, 0.35, 0.0), UP)),
    "_penta_right_m": ("both", Camera((1.0, 0.35, 0.0), UP)),
    "_penta_upper_m": ("upper", Camera((0.0, 0.0, 1.0), (0.0, -1.0, 0.0))),
    "_penta_lower_m": ("lower", Camera((0.0, 0.0, -1.0), (0.0, 1.0, 0.0))),
}


def gallery_pictures(spec: CaseSpec) -> list[tuple[str, bytes]]:
    """The gallery as (file name, JPG of 800 × 600; smaller for a coarse case), overview first."""
    pictures = _pictures(replace(spec, revision=min(spec.revision, 2)))
    return [(f"gallery_#{spec.order_id}{view}.jpg", content) for view, content in zip(VIEWS, pictures, strict=True)]


@lru_cache(maxsize=16)  # 0.4 MB each; the full zip and the thumbnails of one case show the same pictures
def _pictures(spec: CaseSpec) -> tuple[bytes, ...]:
    detail = min(spec.triangles, DETAIL)
    upper, lower = upper_jaw(spec, detail), lower_jaw(spec, detail)
    shown = {"both": [upper, lower], "upper": [upper], "lower": [lower]}
    size = COARSE_SIZE if spec.triangles < COARSE else SIZE
    return tuple(_jpeg(shown[jaws], camera, size) for jaws, camera in VIEWS.values())


def _jpeg(meshes: list[Mesh], camera: Camera, size: tuple[int, int]) -> bytes:
    memory = io.BytesIO()
    render(meshes, camera, size).save(memory, "JPEG", quality=86)
    return memory.getvalue()
