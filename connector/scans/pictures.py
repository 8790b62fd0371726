"""Pictures out of a zip: decoded, bounded, and written anew, so that nothing of the file as it came is ever served."""

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from connector.scans.mesh import Bytes, Floats

MOST_PIXELS = 40_000_000
LARGEST_FILE = 64 * 1024 * 1024
LARGE, SMALL = (640, 640), (112, 84)
TEXTURE_SIDE = 2048
FORMATS = ("JPEG", "PNG", "BMP")
BARE_VERTEX = np.array([214, 205, 190], np.uint8)

Image.MAX_IMAGE_PIXELS = MOST_PIXELS


class PictureRejected(Exception):  # says what happened, as the caller reads it
    """The picture is not shown; `code` is `image_unreadable` or `image_too_large`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_picture(data: bytes | bytearray, side: int) -> Image.Image:
    """The picture in RGB, upright, on white, its sides at most `side` pixels; raises PictureRejected."""
    if len(data) > LARGEST_FILE:
        raise PictureRejected("image_too_large")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decoded(data, side)
    except Image.DecompressionBombError:
        raise PictureRejected("image_too_large") from None
    except PictureRejected:
        raise
    except MemoryError:
        raise PictureRejected("image_too_large") from None
    except Exception:  # Pillow's decoders raise whatever they trip over on a damaged file
        raise PictureRejected("image_unreadable") from None


def _decoded(data: bytes | bytearray, side: int) -> Image.Image:
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise PictureRejected("image_too_large")
        image.draft("RGB", (side, side))
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((side, side))
        if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
            clear = upright.convert("RGBA")
            upright = Image.new("RGB", clear.size, "white")
            upright.paste(clear, mask=clear.getchannel("A"))
        return upright.convert("RGB")


def write_thumbnails(data: bytes | bytearray, large: Path, small: Path) -> None:
    """Write a JPEG of at most 640 pixels a side, and one that fits 112 × 84; raises PictureRejected."""
    picture = read_picture(data, max(LARGE))
    picture.save(large, "JPEG", quality=82)
    picture.thumbnail(SMALL)
    picture.save(small, "JPEG", quality=80)


def sampled(texture: Image.Image, uv: Floats) -> Bytes:
    """The texture's colour at each place (n, 2), v counted from the bottom: uint8 (n, 3); NaN gets a tooth's colour."""
    pixels: Bytes = np.asarray(texture)
    height, width = pixels.shape[:2]
    known: NDArray[np.bool_] = np.isfinite(uv[:, 0]) & np.isfinite(uv[:, 1])
    inside = np.clip(np.where(known[:, None], uv, 0.0), 0.0, 1.0)
    columns = np.rint(inside[:, 0] * (width - 1)).astype(np.intp)
    rows = np.rint((1.0 - inside[:, 1]) * (height - 1)).astype(np.intp)
    colors: Bytes = pixels[rows, columns]
    colors[~known] = BARE_VERTEX
    return colors
