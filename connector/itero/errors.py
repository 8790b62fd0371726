"""What can go wrong between us and Align's cloud, in two families: try again, or tell a human.

IteroError                  code, retry, status, request_id, retry_after (seconds), vendor_code, call
├── RetryableError          the same call may succeed later
│   ├── Timeout             no connection, or no byte for too long
│   │   └── TooSlow         bytes came, but fewer than the least progress
│   ├── ConnectionLost      refused, reset, name not found, TLS failed
│   ├── RateLimited         429, with retry_after when Align says so
│   ├── VendorUnavailable   5xx
│   ├── Truncated           the body ended before its Content-Length
│   └── BadAnswer           garbage, half JSON, a redirect, or a required field missing
│       └── WebPage         HTML, as from a gateway or during maintenance
│           └── NoSuchPage  a gateway's 404 or 410: it knows no such address, and nothing of the order
└── HumanError              trying again changes nothing
    ├── AccessDenied        the user said no on the consent page
    ├── InvalidGrant        the code or refresh token is used, expired or revoked: pair again
    ├── InvalidClient       the client id or secret is wrong: the installation's settings
    ├── Unauthorized        401: the access token is not accepted
    ├── Forbidden           403: not paired, or the integration is not enabled
    ├── NotFound            404
    ├── Conflict            409: not possible in the order's present status
    ├── Gone                410: Align no longer holds it
    ├── BadRequest          400 and every other 4xx
    ├── HostNotAllowed      an address outside the allow-list, private, or without https
    └── BadNotification     a scan notification that cannot be read

ProfileError stands apart: the profile file is wrong, and its message names the key.

No message holds a token, patient data, a URL or text from an answer: only our own words and codes known beforehand.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRY_AFTER_MAX = 3600.0


class ProfileError(ValueError):
    """The profile file is wrong; the message names the key in words."""


class IteroError(Exception):
    """A call to Align did not do what it should; `code` is stable, `detail` is ours and safe to show."""

    code = "itero_error"
    retry = False

    def __init__(
        self,
        detail: str = "",
        *,
        call: str = "",
        status: int | None = None,
        request_id: str = "",
        retry_after: float | None = None,
        vendor_code: str = "",
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.call = call
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
        self.vendor_code = vendor_code

    def __str__(self) -> str:
        parts = [f"{self.call}: {self.code}" if self.call else self.code]
        if self.detail:
            parts.append(self.detail)
        if self.status is not None:
            parts.append(f"status {self.status}")
        if self.vendor_code:
            parts.append(f"vendor code {self.vendor_code}")
        if self.request_id:
            parts.append(f"request {self.request_id}")
        return ", ".join(parts)


class RetryableError(IteroError):
    """The same call may succeed later."""

    code = "retryable"
    retry = True


class Timeout(RetryableError):
    """No connection in time, or no byte for too long."""

    code = "timeout"


class TooSlow(Timeout):
    """Bytes came, but so few that it would never end."""

    code = "too_slow"


class ConnectionLost(RetryableError):
    """Refused, reset, name not found, or TLS failed."""

    code = "connection_lost"


class RateLimited(RetryableError):
    """429; `retry_after` is set when Align says how long to wait."""

    code = "rate_limited"


class VendorUnavailable(RetryableError):
    """5xx; `retry_after` is set when Align says how long to wait."""

    code = "vendor_unavailable"


class Truncated(RetryableError):
    """The body ended before its declared length; `got_on`: a resumed download came further than the attempt before."""

    code = "truncated"
    got_on = False


class BadAnswer(RetryableError):
    """The answer is not what the profile describes: HTML, garbage, half JSON, a redirect, a missing field."""

    code = "bad_answer"


class WebPage(BadAnswer):
    """A web page came: a gateway's or a maintenance notice, which says nothing about what was asked for."""

    code = "web_page"


class NoSuchPage(WebPage):
    """404 or 410 with a web page: a gateway's, in the middle of a deployment, or because the region has moved. Align's
    own word on an order is not a page, so this one gives no order up."""


class HumanError(IteroError):
    """Trying again changes nothing; somebody has to act."""

    code = "needs_a_human"


class AccessDenied(HumanError):
    """The user declined on Align's consent page."""

    code = "access_denied"


class InvalidGrant(HumanError):
    """The authorization code or refresh token is used, expired or revoked; the lab pairs again."""

    code = "invalid_grant"


class InvalidClient(HumanError):
    """Align does not accept the client id and secret; a setting of the whole installation."""

    code = "invalid_client"


class Unauthorized(HumanError):
    """401: the access token is not accepted; refresh once, then pair again."""

    code = "unauthorized"


class Forbidden(HumanError):
    """403: the account is not paired, or the integration is not enabled for it."""

    code = "forbidden"


class NotFound(HumanError):
    """404: Align does not know it."""

    code = "not_found"


class Conflict(HumanError):
    """409: not possible in the order's present status."""

    code = "conflict"


class Gone(HumanError):
    """410: Align no longer holds it."""

    code = "gone"


class BadRequest(HumanError):
    """400 and every 4xx without a class of its own."""

    code = "bad_request"


class HostNotAllowed(HumanError):
    """An address outside the allow-list, a private address, or plain http."""

    code = "host_not_allowed"


class BadNotification(HumanError):
    """A scan notification that cannot be read."""

    code = "bad_notification"


_BY_STATUS: dict[int, type[IteroError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    408: Timeout,
    409: Conflict,
    410: Gone,
    429: RateLimited,
}


def error_for_status(status: int) -> type[IteroError]:
    """The class that stands for an HTTP status of 300 or more."""
    if status >= 500:
        return VendorUnavailable
    if 300 <= status < 400:
        return BadAnswer
    return _BY_STATUS.get(status, BadRequest)


def read_retry_after(header: str | None, *, now: datetime | None = None) -> float | None:
    """Seconds to wait, from a Retry-After of seconds or an HTTP date; 0 to 3600, None if absent or unreadable."""
    text = (header or "").strip()
    if not text:
        return None
    if text.lstrip("+-").isascii() and text.lstrip("+-").isdigit():
        return 0.0 if text.startswith("-") else min(float(text[:12]), RETRY_AFTER_MAX)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - (now or datetime.now(UTC))).total_seconds(), 0.0), RETRY_AFTER_MAX)
