"""The one place where requests leave and answers come in: time-outs, limits, and errors without secrets."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import requests
from urllib3 import exceptions as urllib3_errors

from connector.itero.addresses import AllowedHosts
from connector.itero.connections import GuardedSession, Surplus
from connector.itero.errors import (
    BadAnswer,
    BadRequest,
    ConnectionLost,
    HostNotAllowed,
    InvalidClient,
    InvalidGrant,
    IteroError,
    NoSuchPage,
    Timeout,
    Truncated,
    WebPage,
    error_for_status,
    read_retry_after,
)
from connector.itero.outgoing import Outgoing
from connector.itero.pace import Pace
from connector.itero.profile_sections import Errors
from connector.itero.reading import Json, dig, is_token, parse_json, text

JSON_MAX = 20 * 1024 * 1024
_ERROR_BODY_MAX = 64 * 1024
_PIECE = 64 * 1024
_OAUTH_CODES = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "access_denied",
        "server_error",
        "temporarily_unavailable",
        "unsupported_token_type",
    }
)  # fmt: skip - the codes of RFC 6749, 6750 and 7009, in rows


class Timeouts(NamedTuple):
    """Seconds to wait for a connection, and for the next bytes; a whole JSON answer may take four times the latter."""

    connect: float
    read: float


class Transport:
    """Sends requests and hands back answers of status 2xx; everything else is an error of this package."""

    def __init__(self, hosts: AllowedHosts, errors: Errors, timeouts: Timeouts, pace: Pace) -> None:
        self._hosts = hosts
        self._errors = errors
        self._timeouts = timeouts
        self._pace = pace
        known = (*errors.known, *errors.invalid_grant, *errors.invalid_client)
        self._known_codes = _OAUTH_CODES | frozenset(known)

    def json(self, request: Outgoing, *, call: str, oauth: bool = False) -> Json:
        """The answer's JSON, at most 20 MB of it."""
        with self.open(request, call=call, oauth=oauth) as response, naming(call, response):
            if is_page(response):
                raise WebPage("a web page came instead of JSON")
            return parse_json(self._body(response, JSON_MAX))

    def done(self, request: Outgoing, *, call: str, oauth: bool = False) -> None:
        """For calls whose answer says nothing but its status; a web page is not taken for a yes."""
        with self.open(request, call=call, oauth=oauth) as response, naming(call, response):
            if is_page(response) and self._body(response, _ERROR_BODY_MAX).strip():
                raise WebPage("a web page came instead of an answer")

    @contextmanager
    def open(self, request: Outgoing, *, call: str, oauth: bool = False) -> Iterator[requests.Response]:
        """A streaming answer of status 2xx. Each call has its own connection: a kept one may be dead when it matters,
        and a refresh that fails half-way costs the pairing."""
        with GuardedSession(self._hosts, self._timeouts, self._pace) as session:
            try:
                response = self._send(session, request)
            except IteroError as error:
                error.call = error.call or call
                raise
            try:
                if not 200 <= response.status_code < 300:
                    raise self._failure(response, call, oauth=oauth)
                yield response
            finally:
                response.close()

    def _send(self, session: GuardedSession, request: Outgoing) -> requests.Response:
        headers = {"User-Agent": "itero-lab-connector", "Accept": "application/json", "Accept-Encoding": "identity"}
        outgoing = requests.Request(
            request.method,
            request.url,
            params=request.query,
            data=request.form,
            json=request.json,
            headers={**headers, "Connection": "close", **request.headers},
        )
        try:
            return session.send(session.prepare_request(outgoing))
        except IteroError:
            raise
        except Exception as error:  # requests lets some of urllib3's and http.client's through
            failure = _sending_failure(error)
        raise failure  # out here, so that the library's error with its URL is not carried along

    def _failure(self, response: requests.Response, call: str, *, oauth: bool) -> IteroError:
        status = response.status_code
        code = self._code(response, self._errors.oauth_code if oauth else self._errors.code)
        kind = error_for_status(status)
        if oauth and 400 <= status < 500 and code in self._errors.invalid_grant:
            kind = InvalidGrant
        elif oauth and (status == 401 or (400 <= status < 500 and code in self._errors.invalid_client)):
            kind = InvalidClient
        elif status in (404, 410) and is_page(response):
            kind = NoSuchPage
        elif 300 <= status < 400 and not self._redirect_allowed(response):
            kind = HostNotAllowed
        return kind(
            "a redirect, which we do not follow" if 300 <= status < 400 else "",
            call=call,
            status=status,
            request_id=self._request_id(response),
            retry_after=read_retry_after(response.headers.get("Retry-After")),
            vendor_code=code,
        )

    def _code(self, response: requests.Response, path: tuple[str, ...]) -> str:
        """The answer's error code, if it is one that we know: an unknown text could hold anything."""
        try:
            found = text(dig(parse_json(self._body(response, _ERROR_BODY_MAX)), path))
        except IteroError:
            return ""
        return found if found in self._known_codes else ""

    def _redirect_allowed(self, response: requests.Response) -> bool:
        target = response.headers.get("Location", "")
        if "://" not in target and not target.startswith("//"):
            return True
        try:
            self._hosts.check(target)
        except HostNotAllowed:
            return False
        return True

    def _request_id(self, response: requests.Response) -> str:
        name = self._errors.request_id_header
        return _clean_id(response.headers.get(name, "")) if name else ""

    def _body(self, response: requests.Response, limit: int) -> bytes:
        pieces, size, until = [], 0, time.monotonic() + 4 * self._timeouts.read
        while piece := read_piece(response, _PIECE, decode=True):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise BadAnswer("the answer is too large")
            if time.monotonic() > until:
                raise Timeout("the answer came too slowly")
        return b"".join(pieces)


def read_piece(response: requests.Response, size: int, *, decode: bool) -> bytes:
    """What has arrived of the body, at most `size` bytes; b"" at its end."""
    try:
        return response.raw.read1(size, decode_content=decode) or b""
    except urllib3_errors.ReadTimeoutError:
        failure: IteroError = Timeout("no byte for too long")
    except urllib3_errors.DecodeError:
        failure = BadAnswer("the body cannot be unpacked")
    except urllib3_errors.IncompleteRead:
        failure = Truncated("the body ended early")
    except urllib3_errors.ProtocolError as error:
        failure = _body_failure(error)
    except (urllib3_errors.HTTPError, OSError, ValueError):
        failure = ConnectionLost("the connection was lost in the body")
    raise failure


def _body_failure(error: urllib3_errors.ProtocolError) -> IteroError:
    cause = error.args[1] if len(error.args) > 1 else None
    if isinstance(cause, Surplus):
        return BadAnswer("the body is longer than its declared length")
    if isinstance(cause, OSError):
        return ConnectionLost("the connection was lost in the body")
    return Truncated("the body ended early")


def _sending_failure(error: Exception) -> IteroError:
    if isinstance(error, requests.Timeout):
        return Timeout("no connection in time" if isinstance(error, requests.ConnectTimeout) else "no answer in time")
    if isinstance(error, requests.exceptions.SSLError):
        return ConnectionLost("the secure connection failed")
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader):
        return BadRequest("the request could not be built")
    return ConnectionLost("the connection was lost")


@contextmanager
def naming(call: str, response: requests.Response) -> Iterator[None]:
    """Give an error that was found inside a 2xx answer the call's name and status."""
    try:
        yield
    except IteroError as error:
        error.call, error.status = error.call or call, error.status or response.status_code
        raise


def media_type(response: requests.Response) -> str:
    """The Content-Type without its parameters, in lower case."""
    return str(response.headers.get("Content-Type", "")).partition(";")[0].strip().casefold()


def is_page(response: requests.Response) -> bool:
    """Whether the answer is a web page, as from a gateway or a maintenance notice."""
    return media_type(response) in ("text/html", "application/xhtml+xml")


def _clean_id(value: str) -> str:
    return value if re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", value) else ""


def bearer(access_token: str) -> dict[str, str]:
    """The Authorization header; refuses what would break out of it."""
    if not is_token(access_token):
        raise BadRequest("this is not an access token")
    return {"Authorization": f"Bearer {access_token}"}
