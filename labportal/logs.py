"""Log lines that hold codes and places, never the text of an exception: a database error quotes the row it refused."""

import logging
import re
import time
import traceback
from types import TracebackType

# What would begin a second line, or move a terminal's cursor.
CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class PlacesOnly(logging.Formatter):
    """Formats a traceback as its frames and the exception's type, with its `code` where it has one; and the address of
    a request as its route, since an address may hold a secret (a notification's, a link in a mail). Times
    are UTC; a message is one line."""

    converter = staticmethod(time.gmtime)
    default_time_format, default_msec_format = "%Y-%m-%dT%H:%M:%S", "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        # A record keeps the text that its first handler made of the exception: another handler's, with other rules.
        kept, record.exc_text = record.exc_text, None
        try:
            return super().format(record)
        finally:
            record.exc_text = kept

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        record.message = CONTROL.sub(lambda found: ascii(found[0])[1:-1], _without_address(record))
        return super().formatMessage(record)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - the standard library's name
        kind, error, frames = ei
        if kind is None:
            return ""
        lines = [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(frames)]
        return "\n".join([*lines, f"{kind.__module__}.{kind.__qualname__} {code_of(error)}".rstrip()])


def _without_address(record: logging.LogRecord) -> str:
    request = getattr(record, "request", None)
    path = getattr(request, "path", "")
    if not path:
        return record.message
    found = getattr(request, "resolver_match", None)
    route = f"/{found.route}" if found else "(no route)"
    escaped = path.encode("unicode_escape").decode("ascii")
    return record.message.replace(path, route).replace(escaped, route)


def code_of(error: BaseException | None) -> str:
    """The stable code that our own errors carry; '' for foreign ones, whose text may quote data."""
    code = getattr(error, "code", "")
    return code if isinstance(code, str) else ""
