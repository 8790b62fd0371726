"""The answers that carry files: the zip as it came, one member of it, several cases in one zip, what we derived.

They are built from what was read before; the body that streams afterwards touches no database.
"""

import io
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import BinaryIO

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from zipstream import ZipStream

from connector.orders import store
from connector.orders.models import Order, Revision, ScanFile
from connector.orders.ranges import CHUNK
from connector.scans import open_member

log = logging.getLogger(__name__)


class FileMissing(Exception):
    """A file that the database names is not in the store."""

    code = "file_missing"


class Delivery(FileResponse):
    """A file in large pieces."""

    block_size = CHUNK


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


def must_exist(name: str, revision: Revision) -> None:
    """Before an answer is begun. Errors: FileMissing, logged for the operator."""
    if not name or not store.scans().exists(name):
        log.error("stored_file_missing revision %s", revision.pk)
        raise FileMissing


def stored_zip(order: Order, revision: Revision) -> FileResponse:
    """The vendor's zip, byte for byte. Errors: FileMissing."""
    must_exist(revision.archive, revision)
    stream = store.open_stored(revision.archive)
    response = Delivery(stream, as_attachment=True, filename=zip_name(order, revision), content_type="application/zip")
    response.headers["ETag"] = f'"{revision.sha256}"'
    attachment(response)
    return response


def stored_member(file: ScanFile) -> FileResponse:
    """One member, streamed out of its zip. Errors: FileMissing."""
    must_exist(file.revision.archive, file.revision)
    response = Delivery(_Member(file.revision.archive, file.member), content_type="application/octet-stream")
    response.headers["Content-Length"] = str(file.size)
    response.headers["ETag"] = f'"{file.sha256}"'
    response.headers["Content-Disposition"] = content_disposition_header(True, member_label(file.name)) or "attachment"
    attachment(response)
    return response


def zip_of_zips(cases: Sequence[tuple[Order, Revision]]) -> HttpResponseBase:
    """Several cases' zips in one, each untouched. Two accounts may count the same order ids: the second gets a number.

    Errors: FileMissing."""
    stream = ZipStream(sized=True)
    taken: set[str] = set()
    for order, revision in cases:
        must_exist(revision.archive, revision)
        name = _free_name(zip_name(order, revision), taken)
        path = store.local_path(revision.archive)
        if path is not None:
            stream.add_path(path, arcname=name)
        else:
            stream.add(stored_chunks(revision.archive), arcname=name, size=revision.size)
    response = StreamingHttpResponse(stream, content_type="application/zip")
    response.headers["Content-Length"] = str(len(stream))
    response.headers["Content-Disposition"] = 'attachment; filename="iTero_cases.zip"'
    return attachment(response)


def _free_name(name: str, taken: set[str]) -> str:
    """The name, or with " (2)" behind it; disks that don't tell capitals from small letters count as well."""
    free, number = name, 1
    while free.lower() in taken:
        number += 1
        free = f"{name.removesuffix('.zip')} ({number}).zip"
    taken.add(free.lower())
    return free


def stored_chunks(archive: str) -> Iterator[bytes]:
    with store.open_stored(archive) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def derived(request: HttpRequest, name: str, kind: str) -> HttpResponseBase:
    """A preview or picture that we made ourselves; shown inside our pages, so no attachment."""
    if not name or not store.scans().exists(name):
        return HttpResponse(status=404)
    response = Delivery(store.open_stored(name), content_type=kind)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return without_body(request, response)
