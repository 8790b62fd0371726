"""How an answer leaves through the socket, with or without a fault on the way."""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler

from connector.simulator.faults import Fault
from connector.simulator.messages import FileBody, Response, html_response

CHUNK = 64 * 1024
PROXY_PAGE = "<!doctype html><title>Service unavailable</title><h1>The gateway could not reach the service</h1>"


class Reset(Exception):
    """The connection is to end with a TCP reset."""


class Closed(Exception):
    """The connection is to end now, in the ordinary way."""


@dataclass(frozen=True)
class Plan:
    """How many bytes are announced, how many are sent, and how it ends."""

    declared: int
    sent: int
    resets: bool = False
    rate: int = 0


def disfigure(response: Response, fault: Fault | None) -> Response:
    """The answer with its content replaced, as a broken proxy or server would."""
    if fault is None or not (fault.garbage or fault.html or fault.half_json):
        return response
    if isinstance(response.body, FileBody):
        response.body.first()  # the vendor believes that it has begun to send the case
        response.body.file.close()
    if fault.html:
        page = html_response(PROXY_PAGE, response.status)
        return replace(page, headers=response.headers | page.headers)
    if fault.garbage:
        return replace(response, body=os.urandom(2048))
    return replace(response, body=b"" if isinstance(response.body, FileBody) else response.body[: response.length // 2])


def _plan(response: Response, fault: Fault | None) -> Plan:
    length = response.length
    if fault is None:
        return Plan(length, length)
    if fault.wrong_length:
        short = length - max(1, length // 10) if length else 0
        return Plan(short, short, rate=fault.bytes_per_second)
    if fault.reset_at is not None:
        return Plan(length, int(length * fault.reset_at), True, fault.bytes_per_second)
    if fault.truncate_at is not None:
        return Plan(length, int(length * fault.truncate_at), rate=fault.bytes_per_second)
    return Plan(length, length, rate=fault.bytes_per_second)


def transmit(
    handler: BaseHTTPRequestHandler, response: Response, fault: Fault | None, stopping: threading.Event
) -> None:
    """Sends an answer; raises Reset or Closed when the connection must not be used again."""
    plan = _plan(response, fault)
    try:
        if plan.resets and fault is not None and fault.reset_at == 0:
            raise Reset
        _send_head(handler, response, plan)
        for piece in _pieces(response, plan):
            handler.wfile.write(piece)
            if plan.rate:
                _trickle(handler, len(piece) / plan.rate, stopping)
    finally:
        if isinstance(response.body, FileBody):
            response.body.file.close()
    if plan.resets:
        raise Reset
    if plan.sent < response.length:
        raise Closed


def _trickle(handler: BaseHTTPRequestHandler, pause: float, stopping: threading.Event) -> None:
    handler.wfile.flush()
    if stopping.wait(pause):
        raise Closed


def _send_head(handler: BaseHTTPRequestHandler, response: Response, plan: Plan) -> None:
    handler.send_response(response.status)
    for name, value in response.headers.items():
        handler.send_header(name, value)
    if response.status != 204:
        handler.send_header("Content-Length", str(plan.declared))
    handler.end_headers()


def _pieces(response: Response, plan: Plan) -> Iterator[bytes]:
    step = max(1, min(CHUNK, plan.rate // 10)) if plan.rate else CHUNK
    if isinstance(response.body, bytes):
        for at in range(0, plan.sent, step):
            yield response.body[at : min(at + step, plan.sent)]
        return
    body = response.body
    body.file.seek(body.start)
    if plan.sent:
        body.first()
    left = plan.sent
    # The last byte travels alone, after it was written down: a client that has everything finds the truth complete.
    while left > 1:
        piece = body.file.read(min(step, left - 1))
        if not piece:
            raise Closed
        left -= len(piece)
        yield piece
    if left and plan.sent == body.length:
        body.last()
    if left:
        yield body.file.read(1)
