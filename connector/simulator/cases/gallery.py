"""The gallery of an export."""
from __future__ import annotations

import io

from PIL import Image

from connector.simulator.cases.spec import CaseSpec


def gallery_pictures(spec: CaseSpec) -> list[tuple[str, bytes]]:
    out = []
    for view in ("", "_penta_front_m", "_penta_left_m", "_penta_right_m", "_penta_upper_m", "_penta_lower_m"):
        memory = io.BytesIO()
        Image.new("RGB", (800, 600), (40, 44, 52)).save(memory, "JPEG")
        out.append((f"gallery_#{spec.order_id}{view}.jpg", memory.getvalue()))
    return out
