"""A download in progress: bytes as they arrive, with their declared length kept to the byte."""

import re

import requests

from connector.itero.errors import BadAnswer, Truncated, WebPage
from connector.itero.transport import is_page, media_type, naming, read_piece

_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)")
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e]{0,200}"')
_CALL = "download_order"


class Download:
    """The body of a download. `size` is the whole file's in bytes (None if not declared), `offset` the byte at which
    this body starts (0 when the server began anew), `etag` goes back into the next attempt."""

    def __init__(self, response: requests.Response, *, offset: int, etag: str) -> None:
        self._response = response
        self.etag = str(response.headers.get("ETag", ""))
        self.offset = 0
        with naming(_CALL, response):
            _refuse_other_than_file(response)
            self.size = _length(response)
            if response.status_code == 206:
                self.offset = offset
                self.size = _whole_size(response, offset, self.size, etag)
        self._left = None if self.size is None else self.size - self.offset

    def readinto(self, view: memoryview) -> int:
        """Fill a part of the view with what has arrived and return its length, 0 at the complete end; raises Truncated
        or BadAnswer when the body is shorter or longer than declared."""
        if len(view) == 0:
            raise ValueError("the view must have room for at least one byte")
        with naming(_CALL, self._response):
            piece = read_piece(self._response, len(view), decode=False)
            if self._left is not None:
                self._left -= len(piece)
                if self._left < 0:
                    raise BadAnswer("the body is longer than its declared length")
                if not piece and self._left > 0:
                    raise Truncated("the body ended early")
        view[: len(piece)] = piece
        return len(piece)


def resume_headers(offset: int, etag: str) -> dict[str, str]:
    """Range and If-Range; none without a strong ETag, since two versions of a file must never be glued together."""
    if offset <= 0 or not _STRONG_ETAG.fullmatch(etag):
        return {}
    return {"Range": f"bytes={offset}-", "If-Range": etag}


def _refuse_other_than_file(response: requests.Response) -> None:
    kind = media_type(response)
    if response.status_code not in (200, 206):
        raise BadAnswer("the answer carries no file")
    if is_page(response):
        raise WebPage("a web page came instead of a file")
    if kind.startswith("text/") or kind in ("application/json", "application/xml") or kind.endswith(("+json", "+xml")):
        raise BadAnswer("a page or a message came instead of a file")
    if response.headers.get("Content-Encoding", "identity").strip().casefold() not in ("", "identity"):
        raise BadAnswer("the file came packed, although we asked for it as it is")


def _length(response: requests.Response) -> int | None:
    header = response.headers.get("Content-Length", "").strip()
    if not header or "Transfer-Encoding" in response.headers:
        return None
    if not (header.isascii() and header.isdigit() and len(header) <= 15):
        raise BadAnswer("the declared length cannot be read")
    return int(header)


def _whole_size(response: requests.Response, offset: int, length: int | None, etag: str) -> int:
    """The whole file's size out of Content-Range, after checking that this is the part and the file we asked for."""
    found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if offset <= 0 or not found or int(found[1]) != offset:
        raise BadAnswer("another part of the file came than the one we asked for")
    if response.headers.get("ETag", etag) != etag:
        raise BadAnswer("a part of another version of the file came")
    end = int(found[2]) + 1
    total = end if found[3] == "*" else int(found[3])
    if end != total or (length is not None and length != total - offset):
        raise BadAnswer("the declared lengths do not fit each other")
    return total
