"""Download Order: the whole case or its thumbnails, resumable, and what it does to the list."""

import re
from dataclasses import dataclass

from connector.simulator import oauth, orders
from connector.simulator.cloud import Cloud
from connector.simulator.messages import FileBody, Refusal, Request, Response
from connector.simulator.order_calls import own_order
from connector.simulator.records import Order, Revision
from connector.simulator.spelling import read


@dataclass(frozen=True)
class Span:
    """Bytes `start` up to, not including, `end` of a file of `size`."""

    start: int
    end: int
    size: int

    @property
    def whole(self) -> bool:
        return self.start == 0 and self.end == self.size


def download(cloud: Cloud, request: Request) -> Response:
    """A zip with Content-Length and ETag; 409 while there are no files, 410 when it is given only once."""
    account = oauth.paired(cloud, request)
    call = cloud.call("download")
    order = own_order(cloud, account, str(read(call, request, "order_id")))
    asset = _asset(cloud, str(read(call, request, "asset")))
    with cloud.world.lock:
        revision = order.latest
        if order.status in orders.WITHOUT_FILES:
            raise Refusal(409, "not_ready", f'The order is in status "{order.status}"; its files are not ready.')
    full = asset == "full"
    etag = f'"{(revision.sha256_full if full else revision.sha256_thumbnails)[:32]}"'
    span = _span(cloud, request, revision.size if full else revision.size_thumbnails, etag)
    _refuse_second(cloud, revision, asset, span)
    spec = orders.spec_of(order, revision.number, revision.updated)
    body = FileBody(
        cloud.cabinet.open(spec, asset, order.zip_kind),
        span.start,
        span.end - span.start,
        first=lambda: _begun(cloud, revision, asset, span),
        last=lambda: _finished(cloud, revision, asset, span),
    )
    return Response(200 if span.whole else 206, body, _headers(cloud, order, asset, etag, span))


def _headers(cloud: Cloud, order: Order, asset: str, etag: str, span: Span) -> dict[str, str]:
    stem = "OrthoCAD_Export" if order.family == "orthodontic" else "iTero_Export"
    stem = f"{stem}_{order.order_id}" if asset == "full" else f"iTero_Gallery_{order.order_id}"
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": f'attachment; filename="{stem}.zip"',
        "ETag": etag,
        "Cache-Control": "no-store",
    }
    if cloud.switches.ranges:
        headers["Accept-Ranges"] = "bytes"
    if not span.whole:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{span.size}"
    return headers


def _asset(cloud: Cloud, word: str) -> str:
    for asset, known in cloud.dialect.assets.items():
        if word == known:
            return asset
    raise Refusal(400, "bad_request", f"There are {' and '.join(cloud.dialect.assets.values())} to download.")


def _span(cloud: Cloud, request: Request, size: int, etag: str) -> Span:
    """The bytes asked for; anything but one plain range, or an outdated If-Range, means the whole file."""
    whole = Span(0, size, size)
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("Range", "").strip())
    if asked is None or not cloud.switches.ranges or not any(asked.groups()):
        return whole
    if request.headers.get("If-Range", etag) != etag:
        return whole
    first, last = asked.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < start:
        return whole
    if start >= size:
        headers = {"Content-Range": f"bytes */{size}"}
        raise Refusal(416, "range", f"The file has only {size} bytes.", headers=headers)
    return Span(start, end, size)


def _refuse_second(cloud: Cloud, revision: Revision, asset: str, span: Span) -> None:
    continues = span.start > 0 and not revision.acknowledged  # the rest of a download that broke off
    taken = revision.started if cloud.switches.consume_at == "first" else revision.acknowledged
    if asset == "full" and taken and cloud.switches.second_download == "gone" and not continues:
        raise Refusal(410, "gone", "These files were downloaded before and are no longer kept.")


def _begun(cloud: Cloud, revision: Revision, asset: str, span: Span) -> None:
    with cloud.world.change():
        if asset == "thumbnails":
            revision.thumbnail_downloads += 1
            revision.consumed |= cloud.switches.thumbnails_consume == "yes"
            return
        revision.started = True
        revision.downloads += span.start == 0
        revision.consumed |= cloud.switches.consume_at == "first"


def _finished(cloud: Cloud, revision: Revision, asset: str, span: Span) -> None:
    if asset == "thumbnails" or span.end != span.size:
        return
    with cloud.world.change():
        revision.acknowledged = True
        revision.consumed = True
