"""Frozen dataclasses to JSON and back, each value checked against its annotation on return."""

import types
from dataclasses import asdict, fields, is_dataclass
from datetime import date, datetime
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
PLAIN = (str, int, float, bool)


class BadRecord(ValueError):  # says what happened, as the caller reads it
    """The document does not fit the record."""


def write_record(record: Any) -> Any:
    """A JSON-ready document of a dataclass of texts, numbers, dates, tuples and dataclasses."""
    return _jsonable(asdict(record))


def _jsonable(value: Any) -> Any:
    match value:
        case dict():
            return {key: _jsonable(each) for key, each in value.items()}
        case list() | tuple():
            return [_jsonable(each) for each in value]
        case date():
            return value.isoformat()
    return value


def read_record(kind: type[T], document: object) -> T:
    """The record; raises BadRecord for a missing or unknown key and for any value of another type."""
    return cast(T, _value(kind, document))


def _value(kind: Any, document: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _optional(kind, document)
    if origin is tuple:
        return _tuple(get_args(kind), document)
    if kind in PLAIN:
        # JSON writes 3.0 as it likes; a bool is an int to Python but not to us.
        allowed = (int, float) if kind is float else (kind,)
        if type(document) not in allowed:
            raise BadRecord
        return kind(document)
    if kind in (date, datetime):
        return _moment(kind, document)
    if is_dataclass(kind):
        return _dataclass(kind, document)
    raise BadRecord


def _optional(kind: Any, document: Any) -> Any:
    (inner,) = [each for each in get_args(kind) if each is not type(None)]
    return None if document is None else _value(inner, document)


def _tuple(kinds: tuple[Any, ...], document: Any) -> tuple[Any, ...]:
    if not isinstance(document, list):
        raise BadRecord
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_value(kinds[0], each) for each in document)
    if len(kinds) != len(document):
        raise BadRecord
    return tuple(_value(kind, each) for kind, each in zip(kinds, document, strict=True))


def _moment(kind: Any, document: Any) -> Any:
    try:
        return kind.fromisoformat(document)
    except (TypeError, ValueError):
        raise BadRecord from None


def _dataclass(kind: Any, document: Any) -> Any:
    hints = get_type_hints(kind)
    names = {each.name for each in fields(kind)}
    if not isinstance(document, dict) or set(document) != names:
        raise BadRecord
    return kind(**{name: _value(hints[name], document[name]) for name in names})
