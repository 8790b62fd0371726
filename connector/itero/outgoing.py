"""Building a request out of a call's description: each parameter goes where the profile says."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from connector.itero.errors import BadAnswer, BadRequest
from connector.itero.profile_sections import Call

Value = str | int


@dataclass
class Outgoing:
    """One request, before it is sent."""

    method: str
    url: str
    query: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] | None = None
    json: dict[str, object] | None = None
    headers: dict[str, str] = field(default_factory=dict)


def build(call: Call, url: str, values: Mapping[str, Value]) -> Outgoing:
    """A request of a call; a parameter without a value is not sent."""
    request = Outgoing(call.method, url, json={} if call.send_json else None)
    for one in call.always:
        _place(request, one.where, one.name, one.value)
    for name, value in values.items():
        place = call.params[name]
        if place.where != "none":
            number = place.number and str(value).isascii() and str(value).isdigit()
            _place(request, place.where, place.name, int(value) if number else str(value))
    if re.search(r"[{}]", request.url):
        raise BadAnswer("the address from Discovery has a place for a parameter that the profile does not name")
    return request


def _place(request: Outgoing, where: str, name: str, value: Value) -> None:
    if where == "query":
        request.query[name] = str(value)
    elif where == "form":
        request.form = {**(request.form or {}), name: str(value)}
    elif where == "json":
        request.json = request.json if request.json is not None else {}
        _nest(request.json, name.split("."), value)
    elif where == "url":
        request.url = _fill(request.url, name, str(value))


def _nest(body: dict[str, object], path: list[str], value: Value) -> None:
    for step in path[:-1]:
        inner = body.setdefault(step, {})
        if not isinstance(inner, dict):
            raise BadRequest("the profile puts a parameter inside another one")
        body = inner
    body[path[-1]] = value


def _fill(url: str, name: str, value: str) -> str:
    """Put a value into a template, escaped; "." and ".." would escape into another path even so."""
    place = f"{{{name}}}"
    if place not in url:
        raise BadAnswer("the address from Discovery has no place for a parameter that the profile names")
    if value in ("", ".", ".."):
        raise BadRequest("this is not an identifier")
    return url.replace(place, quote(value, safe=""))
