"""Mutated answers of Align's cloud, read as the client reads them: a value of ours or a typed error, nothing else."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import date, datetime
from enum import Enum
from random import Random
from typing import Any

from connector.itero import Profile, load_profile, paging, read_notification
from connector.itero.addresses import AllowedHosts, read_origin
from connector.itero.discovery import read_endpoints
from connector.itero.errors import IteroError, read_retry_after
from connector.itero.order_reader import read_accounts, read_list, read_order, read_page
from connector.itero.reading import dig, parse_json
from connector.itero.tokens import read_tokens
from tests.fuzz.byte_mutations import mutate
from tests.fuzz.text_mutations import EVIL

CANARY = "ZZCANARY"
BASE = "https://align.example"
NAMES = ("token", "accounts", "pair", "unpair", "orders", "orderByRxId", "download", "return", "revoke")
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    [],
    {},
    [[]],
    0,
    -1,
    1.5,
    10**400,
    1e308,
    -0.0,
    2**63,
    2**53 + 1,
    [None],
    {"": None},
)

BODIES = (b"", b"null", b"NaN", b"[" * 5000, b'{"a":' * 3000, '{"rxId": "1"}'.encode("utf-16"), b"9" * 5000)

ORDER: dict[str, Any] = {
    "orderId": "900150", "rxId": "6f1f3c2e-0001", "status": "Ready for Download", "orderCode": "A-1",
    "accountId": "479", "patient": {"firstName": CANARY, "lastName": CANARY, "chartNumber": CANARY},
    "doctor": {"id": "17", "name": CANARY, "licenseNumber": CANARY}, "notes": CANARY, "procedure": "Fixed",
    "practice": {"id": "5", "name": CANARY, "address": CANARY}, "caseType": "Crown", "dueDate": "2026-12-01",
    "scanDate": "2026-11-20T14:03:11Z", "updatedAt": "2026-11-20T15:00:00Z",
    "treatments": [{"tooth": 19, "treatment": "Crown", "material": "Zirconia", "shade": {"body": "A2"}}],
    "assets": [{"type": "IDE", "size": 5_000_000, "ready": True}, {"type": "IMAGE_GALLERY", "size": 9000}],
}  # fmt: skip
SEEDS: dict[str, Any] = {
    "tokens": {"access_token": f"at-{CANARY}", "refresh_token": f"rt-{CANARY}", "expires_in": 3600},
    "discovery": {"region": "eu", "endpoints": {name: f"{BASE}/{name}/{{rxId}}{{orderId}}" for name in NAMES}},
    "accounts": {"accounts": [{"accountId": "479", "name": CANARY, "type": "Lab", "address": CANARY}] * 2},
    "orders": {"orders": [ORDER, {**ORDER, "orderId": "900151"}], "totalPages": 1, "totalCount": 2, "next": ""},
    "order": ORDER,
    "notification": {"rxId": "6f1f3c2e-0001", "accountNumber": "479"},
}  # fmt: skip


def mutated(rng: Random, call: str) -> bytes:
    """The answer of a call, changed in one to three places, as JSON; sometimes the bytes are hurt as well."""
    value = json.loads(json.dumps(SEEDS[call]))
    for _ in range(rng.choice((1, 1, 2, 3))):
        value = _changed(rng, value)
    body = json.dumps(value, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
    match rng.randrange(12):
        case 0:
            return mutate(rng, body, json.dumps(ORDER).encode())
        case 1:
            return rng.choice((*BODIES, b"<html>" + body, b"\xef\xbb\xbf" + body, body + body))
    return body


def _changed(rng: Random, value: Any) -> Any:
    """One node somewhere in it is another, gone, doubled or renamed."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.08:
        return _other(rng)
    key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
    if rng.random() < 0.6:
        value[key] = _changed(rng, value[key])
    elif isinstance(value, dict):
        match rng.randrange(3):
            case 0:
                del value[key]
            case 1:
                value[str(key).swapcase()] = value.pop(key)
            case 2:
                value[rng.choice(EVIL)] = deepcopy(value[key])
    else:
        value += deepcopy(value) * rng.choice((1, 3)) if rng.random() < 0.5 else [_other(rng)]
    return value


def _other(rng: Random) -> Any:
    match rng.randrange(4):
        case 0:
            return deepcopy(rng.choice(ODD))
        case 1:
            return {rng.choice(EVIL): rng.choice(EVIL), "name": [deepcopy(rng.choice(ODD))]}
        case 2:
            return [rng.choice(EVIL), deepcopy(rng.choice(ODD)), {"\ud800": "\udfff\x00"}]
    return rng.choice((*EVIL, "a\x00b", "\ud83e", "x" * 70, "x" * 201, "y" * 400))


class Reader:
    """The client's readers behind their calls' names."""

    def __init__(self, profile: Profile | None = None) -> None:
        self.profile = profile or load_profile()
        self.hosts = AllowedHosts([read_origin(BASE)], allow_loopback=False)
        calls = self.profile.calls
        self.by_call: dict[str, Callable[[Any], Any]] = {
            "tokens": lambda found: read_tokens(found, self.profile.oauth.tokens, default_life=3600),
            "discovery": lambda found: read_endpoints(found, calls.discovery, self.hosts),
            "accounts": lambda found: read_accounts(found, calls.get_accounts),
            "orders": self._orders,
            "order": lambda found: read_order(dig(found, calls.get_order_by_rx_id.order), self.profile),
        }

    def read(self, call: str, body: bytes) -> Any:
        if call == "notification":
            return read_notification(body, self.profile)
        return self.by_call[call](parse_json(body))

    def _orders(self, found: Any) -> Any:
        """Read at once, and by a walk through pages in each style."""
        call = self.profile.calls.get_orders
        for style in ("page", "offset", "next"):
            walked = dataclasses.replace(
                call, style=style, max_pages=3, total_count=("totalCount",), next_link=("next",)
            )
            for items in _until_error(paging.pages(walked, f"{BASE}/orders", lambda _request: found)):
                read_page(items, self.profile)
        return read_page(read_list(found, call.items, "orders"), self.profile)


def _until_error(pages: Iterator[list[Any]]) -> Iterator[list[Any]]:
    try:
        yield from pages
    except IteroError as error:
        _judge_error(error)


def run(seed: int, first: int, last: int) -> tuple[Counter[tuple[str, str]], list[str]]:
    """(what came of answers `first` to `last` - 1, findings in words)."""
    reader, verdicts, findings = Reader(), Counter[tuple[str, str]](), list[str]()
    for number in range(first, last):
        rng = Random(f"answer {seed}:{number}")
        call = rng.choice(list(SEEDS))
        try:
            verdicts[call, judged(reader, call, mutated(rng, call))] += 1
            read_retry_after(rng.choice((*EVIL, "3", "Fri, 31 Dec 9999 23:59:59 GMT")))
        except Exception as error:
            findings.append(f"answer {number}, {call}: {type(error).__name__}")
    return verdicts, findings


def judged(reader: Reader, call: str, body: bytes) -> str:
    """`read`, or the code of a typed error that tells nothing; raises whatever else happens."""
    try:
        found = reader.read(call, body)
    except IteroError as error:
        _judge_error(error)
        return error.code
    for text in _texts(found):
        text.encode()  # no half of a surrogate pair
        if "\x00" in text:
            raise AssertionError("a NUL comes through, which PostgreSQL does not store")
    return "read"


def _judge_error(error: IteroError) -> None:
    if CANARY in str(error) + repr(error.args) or len(str(error)) > 500:
        raise AssertionError("an error tells what was in the answer")


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case None | bool() | int() | date() | datetime() | Enum():
            return
        case list() | tuple():
            for each in value:
                yield from _texts(each)
        case _ if dataclasses.is_dataclass(value):
            for each in dataclasses.fields(value):
                yield from _texts(getattr(value, each.name))
        case _:
            yield from _texts([*dict(value), *dict(value).values()])
