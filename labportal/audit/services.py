"""Recording an act. Entries of one transaction are written at its end, so a chain is locked for an instant only.

Without an entry nothing is shown: when the audit can't be written, the request or task fails with it.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import astuple, dataclass
from datetime import timedelta
from uuid import UUID

from django.db import connection, models, transaction
from django.utils import timezone

from labportal.audit.context import current
from labportal.audit.models import INSTALLATION, Entry

Fact = str | int | bool | UUID | None
# Codes, ids and dates. What has a space or a comma in it, or letters beyond ASCII, may be a name: it is withheld.
CODE = re.compile(r"[A-Za-z0-9_.:/@+-]{0,80}")
WITHHELD = "withheld"


@dataclass(frozen=True)
class Act:
    """One entry to be, in the order of the arguments of `audit.append`."""

    chain: UUID
    actor_kind: str
    actor_id: UUID | None
    actor_code: str
    action: str
    object_type: str
    object_id: str
    facts: str
    ip: str


_waiting: ContextVar[list[Act] | None] = ContextVar("waiting", default=None)


def record(action: str, *, lab_id: UUID | None, target: models.Model | None = None, **facts: Fact) -> None:
    """Write that the current actor did `action` (a dotted code: "case.viewed"), to the lab's chain or, without a lab,
    to the installation's. It is part of the running transaction: rolled back with it.

    `facts` are codes, ids and counts, never patient data; a text that is no code is withheld.
    """
    _put(_act(action, lab_id, target, facts))


def record_once(
    action: str,
    *,
    lab_id: UUID,
    within: timedelta,
    target: models.Model | str | None = None,
    loosely: bool = False,
    **facts: Fact,
) -> bool:
    """`record`, unless the same actor did the same to the same thing, with the same facts, within that time: for what a
    page fetches by the dozen (thumbnails) or again and again (the live inbox). `target` may be a code of what is no
    record, as a list's; with `loosely` other facts (a count) make no other act. Whether there is a new entry.
    Needs the lab to be named in the transaction."""
    act = _act(action, lab_id, target, facts)
    done = Entry.objects.filter(
        chain=act.chain, object_id=act.object_id, at__gt=timezone.now() - within, action=action,
        actor_kind=act.actor_kind, actor_id=act.actor_id, actor_code=act.actor_code,
    )  # fmt: skip
    if (done if loosely else done.filter(facts=act.facts)).exists():
        return False
    _put(act)
    return True


def record_refusal(action: str, *, lab_id: UUID | None, target: models.Model | None = None, **facts: Fact) -> None:
    """`record` for what was refused: written after the request in a transaction of its own, since the request's own
    one is rolled back."""
    act, door = _act(action, lab_id, target, facts), current()
    if door.request is None:
        _write([act])
    else:
        door.refusals.append(act)


def write_refusals() -> None:
    """The door's last act, when the request's transaction has ended."""
    _write(current().refusals)


@contextmanager
def collected() -> Iterator[None]:
    """Hold back what is recorded inside, and write it at the end; open the transaction around it. What a failure
    takes back is not written. Nested, the outermost one writes."""
    outer = _waiting.get()
    if outer is not None:
        mark = len(outer)
        try:
            yield
        except BaseException:
            del outer[mark:]
            raise
        return
    acts: list[Act] = []
    token = _waiting.set(acts)
    try:
        yield
    finally:
        _waiting.reset(token)
    if not connection.needs_rollback:  # the view answers, but takes back what it did
        _write(acts)


def _put(act: Act) -> None:
    waiting = _waiting.get()
    if waiting is None:
        _write([act])
    else:
        waiting.append(act)


def _act(action: str, lab_id: UUID | None, target: models.Model | str | None, facts: dict[str, Fact]) -> Act:
    door = current()
    who = door.who()
    return Act(
        chain=lab_id or INSTALLATION,
        actor_kind=who.kind,
        actor_id=who.id,
        actor_code=_code(who.code),
        action=action,
        object_type=target._meta.label_lower if isinstance(target, models.Model) else "",
        object_id=str(target.pk) if isinstance(target, models.Model) else _code(target or ""),
        facts=json.dumps({name: _fact(value) for name, value in facts.items()}, sort_keys=True),
        ip=door.ip,
    )


def _fact(value: Fact) -> str | int | None:
    return value if value is None or isinstance(value, int) else _code(str(value))


def _code(text: str) -> str:
    return text if CODE.fullmatch(text) else WITHHELD


def _write(acts: Sequence[Act]) -> None:
    """Chain by chain in one order, so that two transactions never wait for each other."""
    if not acts:
        return
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        for act in sorted(acts, key=lambda act: act.chain):
            cursor.execute("SELECT audit.append(%s, %s, %s, %s, %s, %s, %s, %s, %s)", astuple(act))
