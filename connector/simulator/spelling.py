"""How a dialect is written down: calls, where their inputs stand, and answer templates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connector.simulator.messages import Refusal, Request

Template = Any  # nested dicts whose leaves are "$fact" or a literal
Facts = Mapping[str, Any]
MISSING = object()  # a fact with this value leaves its key out


@dataclass(frozen=True)
class Call:
    """One call: verb, path, and per input where it stands: `path:name`, `query:name`, `form:name` or `json:a.b`."""

    method: str
    path: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    answer: Template = None
    status: int = 200


@dataclass(frozen=True)
class Paging:
    """The two query parameters of a page and the answer around the orders."""

    size: str
    position: str
    answer: Template


@dataclass(frozen=True)
class Dialect:
    """Everything about the vendor's wire that is not public, in one piece of data."""

    name: str
    login_page: str
    authorize: str  # path below login_page
    pkce: bool
    client_auth: str  # "form" or "basic"
    calls: Mapping[str, Call]
    assets: Mapping[str, str]  # "full" and "thumbnails" in this dialect's words
    token_set: Template
    account: Template
    order: Template
    item: Template
    asset: Template
    notification: Template
    error: Template
    oauth_error: Template
    paging: Mapping[str, Paging]
    default_paging: str


def render(template: Template, facts: Facts) -> Any:
    """Fills a template: a leaf `$name` becomes the fact, everything else stays."""
    if isinstance(template, dict):
        filled = {key: render(value, facts) for key, value in template.items()}
        return {key: value for key, value in filled.items() if value is not MISSING}
    if isinstance(template, str) and template.startswith("$"):
        return facts[template[1:]]
    return template


def read(call: Call, request: Request, name: str) -> Any:
    """The input `name` of a call, or None when it is not there."""
    place, _, key = call.inputs[name].partition(":")
    if place == "path":
        return request.params.get(key)
    if place == "query":
        return request.query.get(key)
    if place == "form":
        return request.form().get(key)
    value: Any = request.json()
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def read_account_id(call: Call, request: Request) -> int:
    """The account number of a call; 400 when it is none."""
    value = read(call, request, "account_id")
    if isinstance(value, bool) or not str(value).isdigit():
        raise Refusal(400, "bad_request", "The account number is missing or not a number.")
    return int(value)


def read_text(call: Call, request: Request, name: str) -> str:
    """A text input, empty when absent; 400 when it is not text."""
    value = read(call, request, name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refusal(400, "bad_request", f"{call.inputs[name].partition(':')[2]} must be text.")
    return value
