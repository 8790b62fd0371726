"""An honest zip that takes long to check: nothing in it is refused."""

import random
import zlib
from pathlib import Path

from tests.scans.zips import Part, build, deflated

PIECE = 64 << 20


def heavy_zip(path: Path, members: int = 8) -> Path:
    """A zip of `members` MB or so that unpacks to 64 MB each; a member packs just below the ratio that is refused."""
    block, noise = random.Random(1).randbytes(400), random.Random(2).randbytes(3 * 170_000)
    content = b"".join(block + noise[3 * i : 3 * i + 3] for i in range(PIECE // 403))
    packed = deflated(content)
    true: dict[str, int | bytes] = {"crc": zlib.crc32(content), "size": len(content)}
    parts = [Part(b"%d.stl" % i, b"", packed=packed, local=true, central=true) for i in range(members)]
    path.write_bytes(build(*parts))
    return path
