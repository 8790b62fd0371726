"""Calls to a lab's OpenID provider: its address is an owner's word, so it may lead to no private place.

https at port 443, to public addresses, looked up once and connected to exactly; no redirect, no proxy of the
environment, small answers, in time (in_time.py). Loopback only beside the simulator, for tests.
"""

import ipaddress
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from labportal.signin.in_time import Response, Stop, left, place

# Seconds for connecting, TLS included, and for the answer, both as a whole.
TIMEOUT = (4, 8)
LARGEST = 512 * 1024


class Refused(requests.RequestException):
    """The address is none that we call. Its text is a code."""


def check_url(url: str) -> None:
    """Errors: Refused, unless it is a plain https address (or loopback's, beside the simulator)."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise Refused("unreadable") from error
    if not host or parts.username or parts.password or "\\" in url or any(ord(c) <= 32 for c in url):
        raise Refused("unreadable")
    if settings.SIMULATOR and host in {"localhost", "127.0.0.1"}:
        return
    if parts.scheme != "https":
        raise Refused("not_https")
    if port not in {None, 443}:
        raise Refused("port")


def check_address(text: str) -> None:
    """Errors: Stop, unless packets to it stay on the public network."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        address = inner or address
    if settings.SIMULATOR and address.is_loopback:
        return
    if not address.is_global or address.is_multicast or address.is_reserved:
        raise Stop("private")


def _connect(connection: HTTPConnection) -> socket.socket:
    """Every address of the name is checked, and one of exactly those is connected to. What is left of the time is for
    TLS: a handshake ends by the socket's time-out as a whole."""
    try:
        found = socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Stop("not_found") from error
    addresses = list(dict.fromkeys(str(answer[4][0]) for answer in found))
    for address in addresses:
        check_address(address)
    until = time.monotonic() + TIMEOUT[0]
    for address in addresses[:4]:
        try:
            sock = socket.create_connection((address, connection.port), min(left(until), TIMEOUT[0] / 2))
        except OSError:
            continue
        sock.settimeout(max(until - time.monotonic(), 0.01))
        return sock
    raise Stop("unreachable")


class _Http(HTTPConnection):
    response_class = Response

    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _Https(HTTPSConnection):
    response_class = Response

    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


class GuardedSession(requests.Session):
    """A session that can call no other place, whatever the provider's own document says."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.mount("https://", _Adapter(max_retries=0))
        self.mount("http://", _Adapter(max_retries=0))

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        check_url(request.url or "")
        try:
            with place():
                response = super().send(
                    request, **kwargs | {"timeout": TIMEOUT, "allow_redirects": False, "stream": True}
                )
                response._content = _body(response)  # as requests itself does for an answer that is not streamed
        except Stop as stop:
            raise Refused(str(stop)) from stop
        except requests.Timeout as error:  # of TLS
            raise Refused("too_slow") from error
        if 300 <= response.status_code < 400:
            raise Refused("redirect")
        return response


def _body(response: requests.Response) -> bytes:
    """Errors: Stop."""
    body = b""
    for piece in response.iter_content(16_384):
        body += piece
        if len(body) > LARGEST:
            response.close()
            raise Stop("too_large")
    return body
