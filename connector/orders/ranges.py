"""Going on with a broken download: one byte range of a stored file (RFC 9110, section 14)."""

import re
from collections.abc import Iterator
from typing import IO, Any

from django.http import FileResponse, HttpRequest

CHUNK = 1 << 18
ONE_RANGE = re.compile(r"bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)


class RangeOutside(Exception):
    """The range asked for lies beyond the file's end; `size` is the file's, in bytes."""

    def __init__(self, size: int) -> None:
        super().__init__("range")
        self.size = size

    @property
    def headers(self) -> dict[str, str]:
        """What the answer 416 must say."""
        return {"Content-Range": f"bytes */{self.size}"}


def asked_range(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """The first and last byte asked for; None when the whole file is to be sent.

    Several ranges, other units, other methods and what can't be read are answered by the whole file, as the standard
    allows; so is a range of a file that has changed since (If-Range). Errors: RangeOutside.
    """
    found = ONE_RANGE.fullmatch(request.headers.get("Range", "").strip())
    if request.method != "GET" or found is None or not (found[1] or found[2]):
        return None
    if request.headers.get("If-Range", etag).strip() != etag:
        return None
    if found[1]:
        first, last = int(found[1]), min(int(found[2] or size), size - 1)
        if found[2] and int(found[2]) < first:
            return None
    else:
        first, last = max(size - int(found[2]), 0), size - 1
    if first > last:
        raise RangeOutside(size)
    return first, last


def narrow(response: FileResponse, first: int, last: int) -> None:
    """Make a whole file's answer a partial one (206)."""
    size = int(response.headers["Content-Length"])
    stream: IO[Any] = response.file_to_stream  # type: ignore[assignment]  # any open file, not BytesIO alone
    response.streaming_content = _bytes(stream, first, last - first + 1)  # the answer still closes the file
    response.status_code = 206
    response.headers["Content-Length"] = str(last - first + 1)
    response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"


def _bytes(stream: IO[Any], first: int, left: int) -> Iterator[bytes]:
    if stream.seekable():
        stream.seek(first)
    else:  # a member of a zip is read forwards only
        while first > 0 and (skipped := stream.read(min(CHUNK, first))):
            first -= len(skipped)
    while left > 0 and (chunk := stream.read(min(CHUNK, left))):
        left -= len(chunk)
        yield chunk
