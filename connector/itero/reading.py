"""Tolerant reading of JSON: unknown fields ignored, "Null", "-1" and "" absent, what is missing named."""

import json
import math
import re
from collections.abc import Mapping
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

from connector.itero.errors import BadAnswer
from connector.itero.profile_sections import Formats
from connector.itero.toml_table import JsonPath

Json = object
ID_MAX = 200
_ABSENT = ("", "-1", "null")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL takes neither NUL nor half a surrogate pair
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")  # what fits into a header and cannot break out of it
_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")


def parse_json(body: bytes) -> Json:
    """Parse a body strictly; raises BadAnswer for anything but complete, finite, sanely nested JSON."""
    try:
        return json.loads(body, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        pass  # raised below, so that the parser's error with its piece of the body is not carried along
    raise BadAnswer("the body is not JSON")


def _refuse(_constant: str) -> float:
    raise ValueError


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def dig(value: Json, path: JsonPath) -> Json:
    """The value at a path (a number steps into a list), None when there is none; the empty path is the value itself."""
    for step in path:
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def pick(value: Json, path: JsonPath) -> Json:
    """Like `dig` for a single field, where the empty path means that Align does not deliver it."""
    return dig(value, path) if path else None


def text(value: Json) -> str:
    """A text or a whole number as text; "" when absent."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    cleaned = _UNSTORABLE.sub("", str(value)).strip()
    return "" if cleaned.casefold() in _ABSENT else cleaned


def identifier(value: Json) -> str:
    """An id as text; "" when absent or of no use as one (blank inside, control characters, too long)."""
    found = text(value)
    return found if len(found) <= ID_MAX and found.isprintable() and " " not in found else ""


def is_token(value: str) -> bool:
    """Whether a text can be a token: printable ASCII without blanks."""
    return bool(_TOKEN.fullmatch(value))


def whole(value: Json) -> int | None:
    """A whole number from 0 up, also from text or from 19.0; None when absent."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    found = text(value)
    return int(found) if found.isascii() and found.isdigit() and len(found) <= 18 else None


def yes(value: Json, *, default: bool) -> bool:
    """true or false, also as text or number; the default when absent or unknown."""
    found = str(value).strip().casefold()
    return found in _YES if found in _YES + _NO else default


def day(value: Json, formats: Formats) -> date | None:
    """A calendar day in one of the profile's formats, as written, without moving it between time zones."""
    found = text(value)
    for pattern in formats.date:
        try:
            return _by(found, pattern).date()
        except ValueError:
            continue
    return None


def moment(value: Json, formats: Formats) -> datetime | None:
    """A moment in one of the profile's formats; without an offset it is in the profile's time zone."""
    found = text(value)
    zone: tzinfo = UTC if formats.timezone == "UTC" else ZoneInfo(formats.timezone)
    for pattern in formats.datetime:
        try:
            read = _by(found, pattern)
            return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def _by(found: str, pattern: str) -> datetime:
    """Errors: ValueError, also for a date that nobody entered: it comes as the first or the last one that a program can
    hold, which no time zone can be applied to."""
    read = datetime.fromisoformat(found) if pattern == "iso" else datetime.strptime(found, pattern)
    if not MINYEAR < read.year < MAXYEAR:
        raise ValueError
    return read
