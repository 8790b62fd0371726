"""Log lines that hold codes and places, never the text of an exception: a database error quotes the row it refused."""

import logging
import traceback
from types import TracebackType

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class PlacesOnly(logging.Formatter):
    """Formats a traceback as its frames and the exception's type, with its `code` where it has one."""

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - the standard library's name
        kind, error, frames = ei
        if kind is None:
            return ""
        lines = [f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(frames)]
        return "\n".join([*lines, f"{kind.__module__}.{kind.__qualname__} {code_of(error)}".rstrip()])


def code_of(error: BaseException | None) -> str:
    """The stable code that our own errors carry; '' for foreign ones, whose text may quote data."""
    code = getattr(error, "code", "")
    return code if isinstance(code, str) else ""
