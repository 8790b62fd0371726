"""The matrix: every address of the URLconf and of the OpenAPI document, by every method, with every kind of id."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.isolation.routes import PEOPLE
from tests.isolation.test_every_url import LET_IN
from tests.isolation.world import World
from tests.matrix.addresses import TABLE, form_of, holes_of, path_of
from tests.matrix.visitors import Visitor

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAFE = {"GET", "HEAD", "OPTIONS"}
OWN, FOREIGN, MIXED, RANDOM, MALFORMED = "own", "foreign", "mixed", "random", "malformed"
BAD = ("x", "-1", "00000000-0000-0000-0000-00000000000g", "%00", "%2e%2e%2f", "a" * 300, "' OR 1=1--", "%E2%80%AE")
# Done, and answered by the way to the log-in.
DOES = {"account_logout"}
Form = dict[str, str] | dict[str, list[str]]


@dataclass(frozen=True)
class Cell:
    """One request to be: `kind` says whose the ids are; `way` tells apart what is compared with one another, and `word`
    is what was asked with, which an answer may say back. `refused`: the table says that this visitor is not let in."""

    name: str
    method: str
    kind: str
    path: str
    form: Form = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    way: str = ""
    word: str = ""
    refused: bool = True

    def __str__(self) -> str:
        return f"{self.method} {self.name} ({', '.join(filter(None, (self.kind, self.way)))})"


def cells_of(
    name: str, visitor: Visitor, *, methods: tuple[str, ...] = METHODS, bad: tuple[str, ...] = BAD
) -> Iterator[Cell]:
    """Every request of this visitor to this address, but for what they may do to their own: that is in `done_of`.

    All of `bad` are tried by the two methods that addresses answer to, one of them by each other method.
    """
    for method in methods:
        refused = is_refused(name, visitor, method)
        for kind, ids in _ids(name, visitor, bad if method in {"GET", "POST"} else bad[:1]):
            if kind == OWN and method not in SAFE and not refused:
                continue
            yield Cell(name, method, kind, path_of(name, ids), form_of(name, ids), refused=refused)


def done_of(name: str, visitor: Visitor) -> Cell | None:
    """What this visitor may do to their own, by POST."""
    if is_refused(name, visitor, "POST"):
        return None
    ids = ids_of(visitor.own) if visitor.own else nothing()
    return Cell(name, "POST", OWN, path_of(name, ids), form_of(name, ids), refused=False)


def is_refused(name: str, visitor: Visitor, method: str) -> bool:
    """What the table says of the visitor's own ids. It speaks of lab A's things: of theirs, another lab's owner is as
    lab A's owner, and what is not about a thing has a column for them. Other methods than the two do nothing at all."""
    if method not in {"GET", "POST"}:
        return method not in SAFE
    person = "anna" if visitor.person == "bruno" and holes_of(name) else visitor.person
    if name in DOES:
        return False
    row = TABLE[name].get if method == "GET" else TABLE[name].post
    return row.split()[PEOPLE.index(person)] not in LET_IN


def _ids(name: str, visitor: Visitor, bad: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str]]]:
    holes = holes_of(name)
    if visitor.own is not None or not holes:
        yield OWN, ids_of(visitor.own) if visitor.own else nothing()
    if not holes:
        return
    for other in visitor.others:
        yield FOREIGN, ids_of(other)
        if visitor.own is not None and len(holes) > 1:
            mine, theirs = ids_of(visitor.own), ids_of(other)
            for hole in sorted(holes - {"number"}):
                yield MIXED, mine | {hole: theirs[hole]}
    yield RANDOM, nothing()
    for text in bad:
        yield MALFORMED, dict.fromkeys(nothing(), text)


def ids_of(world: World) -> dict[str, str]:
    return nothing() | world.ids() | {"picture_id": str(world.picture.pk)}


def nothing() -> dict[str, str]:
    """Ids of nothing, well formed."""
    names = (
        "order_id", "file_id", "picture_id", "pairing_id", "attempt_id", "membership_id", "invitation_id", "api_key_id",
        "look_id", "provider_id",
    )  # fmt: skip
    other = {"number": "1", "secret": "y" * 43, "key": "y", "token": "y", "uidb36": "2", "pk": "0", "door": "nobody"}
    return {name: str(uuid.uuid4()) for name in names} | other
