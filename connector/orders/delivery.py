"""The answers that carry files: the zip as it came, one member of it, several cases in one zip, what we derived.

They are built from what was read before; the body that streams afterwards touches no database.
"""

import io
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import BinaryIO

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from zipstream import ZipStream

from connector.orders import store
from connector.orders.derived import DerivedChanged, make_again, proved
from connector.orders.guard import member_must_be_sound, must_be_sound
from connector.orders.models import Order, Revision, ScanFile
from connector.orders.ranges import CHUNK, asked_range, narrow
from connector.orders.soundness import SoundStream
from connector.scans.archive import open_member
from labportal.labs.afterwards import afterwards

log = logging.getLogger(__name__)


class Delivery(FileResponse):
    """A file in large pieces; `part` is its first and last byte in the answer, None for all of it."""

    block_size = CHUNK
    part: tuple[int, int] | None = None


class _Member(io.RawIOBase):
    """One member of a stored zip, opened at its first byte: with S3 the zip is copied here first, and by then no
    transaction is open."""

    def __init__(self, archive: str, member: int) -> None:
        self._archive, self._member = archive, member
        self._opened = ExitStack()
        self._stream: BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # the stub asks for any buffer, io gives views
        if self._stream is None:
            path = self._opened.enter_context(store.as_local_file(self._archive))
            self._stream = self._opened.enter_context(open_member(path, self._member))
        chunk = self._stream.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        self._opened.close()
        super().close()


def zip_name(order: Order, revision: Revision) -> str:
    """The download's file name: no patient's name in it, since file names end up in mails and on shared disks."""
    number = f"_r{revision.number}" if revision.number > 1 else ""
    return f"iTero_{re.sub(r'[^A-Za-z0-9_-]', '_', order.order_id)}{number}.zip"


def member_label(name: str) -> str:
    """A member's file name for the disk of the one who downloads: its last part, letters of any script, no more than
    150 characters; nothing that steers a header, a terminal or the reading direction."""
    last = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[^\w.#() -]", "_", last)[-150:].lstrip(". ") or "file"


def attachment(response: HttpResponseBase) -> HttpResponseBase:
    """Foreign content must never run as ours: attachment, nosniff, sandbox, no-store."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "no-store"
    return response


def without_body(request: HttpRequest, response: FileResponse) -> FileResponse:
    """HEAD gets the headers alone; the open file is still closed with the answer."""
    if request.method == "HEAD":
        response.streaming_content = iter(())
    return response


def stored_zip(request: HttpRequest, order: Order, revision: Revision) -> Delivery:
    """The vendor's zip, byte for byte, or the range of it that is asked for. Errors: FileMissing, RangeOutside."""
    asked = asked_range(request, revision.size or 0, f'"{revision.sha256}"')
    must_be_sound(revision, asked)
    return _narrowed(proved_zip(order, revision), asked)


def proved_zip(order: Order, revision: Revision) -> Delivery:
    """The whole zip of a revision that has just passed the guard."""
    stream = SoundStream(revision)
    response = Delivery(stream, as_attachment=True, filename=zip_name(order, revision), content_type="application/zip")
    response.headers["ETag"] = f'"{revision.sha256}"'
    attachment(response)
    return response


def stored_member(request: HttpRequest, file: ScanFile) -> Delivery:
    """One member, streamed out of its zip, or the range of it that is asked for. Errors: FileMissing, RangeOutside."""
    asked = asked_range(request, file.size, f'"{file.sha256}"')
    member_must_be_sound(file)
    response = Delivery(_Member(file.revision.archive, file.member), content_type="application/octet-stream")
    response.headers["Content-Length"] = str(file.size)
    response.headers["ETag"] = f'"{file.sha256}"'
    response.headers["Content-Disposition"] = content_disposition_header(True, member_label(file.name)) or "attachment"
    attachment(response)
    return _narrowed(response, asked)


def _narrowed(response: Delivery, asked: tuple[int, int] | None) -> Delivery:
    response.headers["Accept-Ranges"] = "bytes"
    if asked is not None:
        narrow(response, *asked)
        response.part = asked
    return response


def zip_of_zips(cases: Sequence[tuple[Order, Revision]]) -> HttpResponseBase:
    """Several cases' zips in one, each untouched; each has just passed the guard. Two accounts may count the same order
    ids: the second gets a number."""
    stream = ZipStream(sized=True)
    taken: set[str] = set()
    for order, revision in cases:
        add_zip(stream, revision, _free_name(zip_name(order, revision), taken))
    response = StreamingHttpResponse(stream, content_type="application/zip")
    response.headers["Content-Length"] = str(len(stream))
    response.headers["Content-Disposition"] = 'attachment; filename="iTero_cases.zip"'
    return attachment(response)


def add_zip(stream: ZipStream, revision: Revision, name: str) -> None:
    """Put a stored zip that has passed the guard into one that streams, unpacked no further."""
    stream.add(_stored_chunks(revision), arcname=name, size=revision.size)


def _free_name(name: str, taken: set[str]) -> str:
    """The name, or with " (2)" behind it; disks that don't tell capitals from small letters count as well."""
    free, number = name, 1
    while free.lower() in taken:
        number += 1
        free = f"{name.removesuffix('.zip')} ({number}).zip"
    taken.add(free.lower())
    return free


def _stored_chunks(revision: Revision) -> Iterator[bytes]:
    with SoundStream(revision) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def derived(request: HttpRequest, name: str, kind: str) -> HttpResponseBase:
    """A preview or picture that we made ourselves; shown inside our pages, so no attachment. One that is damaged or
    gone is made again; the page around it says that it could not be loaded."""
    if not name:
        return HttpResponse(status=404)
    try:
        content = proved(name)
    except (DerivedChanged, FileNotFoundError) as error:
        log.error("derived_file_unsound %s", type(error).__name__)
        afterwards(partial(make_again, *store.owner_of(name)))
        return HttpResponse(status=404 if isinstance(error, FileNotFoundError) else 503)
    except OSError:
        log.exception("derived_file_unreadable")
        return HttpResponse(status=503)
    response = Delivery(io.BytesIO(content), content_type=kind)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return without_body(request, response)
