"""Connections that go only to checked addresses, and answers that end exactly where they said they would."""

import http.client
import io
import socket
import sys
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from connector.itero.addresses import AllowedHosts
from connector.itero.errors import ConnectionLost, IteroError, Timeout
from connector.itero.pace import Pace, PacedReader

_ADDRESSES_TRIED = 4
_SURPLUS_WAIT = 0.5


class Surplus(http.client.HTTPException):
    """The body went on after its declared length."""


class WholeResponse(http.client.HTTPResponse):
    """Keeps the pace, and looks once behind a complete body: we ask for `Connection: close`, so the end of the stream
    must follow."""

    pace: Pace

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._sock_behind = sock
        self.fp = io.BufferedReader(PacedReader(self.fp.detach(), self.pace))

    # http.client calls this when the body is read to its end, and offers no public place to look from.
    def _close_conn(self) -> None:
        try:
            if self.length == 0 and not self.chunked and self.status >= 200 and self._goes_on():
                raise Surplus
        finally:
            super()._close_conn()  # type: ignore[misc]  # not in the published stubs

    def _goes_on(self) -> bool:
        try:
            self._sock_behind.settimeout(_SURPLUS_WAIT)
            return bool(self.fp.peek(1))
        except (OSError, ValueError):
            return False  # the server keeps the connection open, or cut it: nothing follows


def _connect(connection: HTTPConnection, hosts: AllowedHosts) -> socket.socket:
    """Resolve once, check every address, connect to exactly those: a second look-up could answer differently."""
    failure: IteroError = ConnectionLost("the host name has no address")
    for address in hosts.resolve(connection.host, connection.port)[:_ADDRESSES_TRIED]:
        try:
            sock = socket.create_connection((address, connection.port), connection.timeout)
        except TimeoutError:
            failure = Timeout("no connection in time")
        except OSError:
            failure = ConnectionLost("the connection was refused")
        else:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sys.audit("http.client.connect", connection, connection.host, connection.port)
            return sock
    raise failure


def _pool_classes(hosts: AllowedHosts, pace_: Pace) -> dict[str, type[HTTPConnectionPool]]:
    """Pool classes whose connections know list and pace; urllib3 creates them by class, so both are bound here."""

    class Response(WholeResponse):
        pace = pace_

    class GuardedHttp(HTTPConnection):
        response_class = Response

        def _new_conn(self) -> socket.socket:
            return _connect(self, hosts)

    class GuardedHttps(HTTPSConnection):
        response_class = Response

        def _new_conn(self) -> socket.socket:
            return _connect(self, hosts)

    class HttpPool(HTTPConnectionPool):
        ConnectionCls = GuardedHttp

    class HttpsPool(HTTPSConnectionPool):
        ConnectionCls = GuardedHttps

    return {"http": HttpPool, "https": HttpsPool}


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, hosts: AllowedHosts, pace: Pace) -> None:
        self._hosts = hosts
        self._pace = pace
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self._hosts, self._pace)


class GuardedSession(requests.Session):
    """A session that cannot forget its time-outs, follow a redirect, or reach a host that is not on the list.

    The environment's proxies and .netrc are not read: a proxy would do the name look-up for us, unchecked,
    and a .netrc entry would replace the Bearer token.
    """

    def __init__(self, hosts: AllowedHosts, timeout: tuple[float, float], pace: Pace) -> None:
        super().__init__()
        self.trust_env = False
        self._hosts = hosts
        self._timeout = timeout
        self.mount("https://", _GuardedAdapter(hosts, pace))
        self.mount("http://", _GuardedAdapter(hosts, pace))

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send after checking the address as it will be used; streams, and never follows a redirect."""
        self._hosts.check(request.url or "")
        kwargs |= {"timeout": self._timeout, "allow_redirects": False, "stream": True}
        return super().send(request, **kwargs)
