"""The HTTP server: reads a request, finds its handler, sends the answer, and keeps the socket within reach.

The standard library's server is used on purpose: the faults (TCP reset, a body that ends too early, a wrong length, a
trickle) need the bare socket, which web frameworks rightly keep to themselves.
"""

import secrets
import socket
import struct
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from connector.simulator.clock import iso_milliseconds
from connector.simulator.cloud import Cloud
from connector.simulator.faults import Fault
from connector.simulator.messages import Refusal, Request, Response, json_response
from connector.simulator.routes import Route, call_name, resolve, routes_for
from connector.simulator.spelling import render
from connector.simulator.transmit import Closed, Reset, disfigure, transmit

LARGEST_BODY = 1024 * 1024
SEND_BUFFER = 32 * 1024
FAULT_CODES = {401: "invalid_token", 403: "not_paired", 404: "not_found", 429: "too_many_requests"}


class Server(ThreadingHTTPServer):
    """Threads that end with the server: open connections are cut when it stops."""

    daemon_threads = False  # so that server_close() waits for every thread
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.routes = routes_for(cloud.dialect)
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        self.to_reset: set[socket.socket] = set()
        super().__init__((cloud.options.host, cloud.options.port), Exchange)

    def process_request(self, request: Any, client_address: Any) -> None:
        # Little on its way unseen: "given out" shall mean that nearly all of it has left.
        request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        if request in self.to_reset:
            self.to_reset.discard(request)
            request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_request(request)  # without the polite shutdown: that is what makes it a reset
            return
        super().shutdown_request(request)

    def stop(self) -> None:
        """Cuts every connection and waits until no thread is left."""
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # the client was faster
                    continue
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            traceback.print_exc()


class Exchange(BaseHTTPRequestHandler):
    """One connection and the requests on it."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "iTeroSimulator"
    sys_version = ""
    timeout = 60
    disable_nagle_algorithm = True
    wbufsize = 128 * 1024  # head and a small body leave in one packet

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet: the control page shows the last calls."""

    def _serve(self) -> None:
        if not self.path.startswith("/_sim"):
            self.server.cloud.asked.append(self.path)
        request_id = secrets.token_hex(8)
        fault: Fault | None = None
        try:
            request = self._read(request_id)
            route = resolve(self.server.routes, request)
            name = call_name(route, request)
            fault = self.server.cloud.faults.take(name, request.path) if name else None
            response = self._answer(route, request, fault)
            self._note(name, request_id, response)
        except Refusal as refusal:
            response = refused(self.server.cloud, refusal)
        response.headers["X-Request-Id"] = request_id
        self._send(disfigure(response, fault), fault)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 - the names that the standard library calls

    def _read(self, request_id: str) -> Request:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            raise Refusal(413, "bad_request", "A body of a known length up to 1 MB is needed.")
        parts = urlsplit(self.path)
        options = self.server.cloud.options
        host = self.headers.get("Host") or f"{options.host}:{self.server.server_port}"
        return Request(
            method=self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers=self.headers,
            body=self.rfile.read(int(length)),
            base=f"http://{host}",
            request_id=request_id,
        )

    def _answer(self, route: Route, request: Request, fault: Fault | None) -> Response:
        if fault is not None and fault.status:
            self.server.cloud.stopping.wait(fault.latency)
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            code = FAULT_CODES.get(fault.status, "unavailable")
            return refused(
                self.server.cloud, Refusal(fault.status, code, "A fault that was asked for.", headers=headers)
            )
        try:
            response = route.handler(self.server.cloud, request)
        except Refusal as refusal:
            response = refused(self.server.cloud, refusal)
        except Exception:
            traceback.print_exc()
            response = refused(self.server.cloud, Refusal(500, "internal", "The simulator has a defect."))
        if fault is not None:
            self.server.cloud.stopping.wait(fault.latency)
        return response

    def _note(self, name: str, request_id: str, response: Response) -> None:
        if not name:
            return
        cloud = self.server.cloud
        entry = {"at": iso_milliseconds(cloud.clock.now()), "call": name, "request_id": request_id}
        with cloud.world.lock:
            cloud.world.calls[name] += 1
            cloud.recent.append(entry | {"status": str(response.status)})

    def _send(self, response: Response, fault: Fault | None) -> None:
        try:
            transmit(self, response, fault, self.server.cloud.stopping)
            self.wfile.flush()
        except Reset:
            self.close_connection = True
            self.server.to_reset.add(self.connection)
        except Closed:
            self.close_connection = True


def refused(cloud: Cloud, refusal: Refusal) -> Response:
    """A refusal in the dialect's words."""
    template = cloud.dialect.oauth_error if refusal.oauth else cloud.dialect.error
    facts = {"code": refusal.code, "text": refusal.text}
    return json_response(render(template, facts), refusal.status, refusal.headers)
