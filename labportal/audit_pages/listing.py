"""The lab's entries as the page shows them: filters, newest first, and each one in words."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.urls import reverse

from labportal.audit.context import COMMAND, KEY, OPERATOR, SYSTEM, VENDOR
from labportal.audit.models import Entry
from labportal.audit.services import CODE
from labportal.audit_pages.words import ACTORS, THINGS, in_words
from labportal.labs.models import Lab, Membership, User

PAGE = 50
CASE = "orders.order"
NUMBER = re.compile(r"(?=.*[0-9])[A-Za-z0-9._:-]{1,40}")
KINDS = {KEY: (KEY,), "portal": (SYSTEM, COMMAND, VENDOR), OPERATOR: (OPERATOR,)}


@dataclass(frozen=True)
class Query:
    """What an address asks for; what can't be read is left out. `case` is Align's order number or our id."""

    who: str = ""
    what: str = ""
    since: str = ""
    until: str = ""
    case: str = ""
    before: int = 0

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Query":
        return cls(
            who=given.get("who", "")[:40],
            what=given.get("what", "") if given.get("what") in dict(THINGS) else "",
            since=_day(given.get("since", "")),
            until=_day(given.get("until", "")),
            case=given.get("case", "").strip()[:40],
            before=int(before) if (before := given.get("before", "")).isascii() and before.isdigit() else 0,
        )

    @property
    def filtered(self) -> bool:
        return bool(self.who or self.what or self.since or self.until or self.case)

    @property
    def names_a_case(self) -> bool:
        """A number or an id; what is none may be a name, and gets into no address of ours."""
        return NUMBER.fullmatch(self.case) is not None

    def url(self, name: str = "audit", **changed: object) -> str:
        words = {**self.__dict__, "before": "", "case": self.case if self.names_a_case else "", **changed}
        kept = {key: value for key, value in words.items() if value}
        return reverse(name) + (f"?{urlencode(kept)}" if kept else "")


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def entries(lab: Lab, query: Query) -> QuerySet[Entry]:
    """The lab's chain, newest first, as the query narrows it."""
    rows = Entry.objects.filter(chain=lab.pk).order_by("-seq")
    zone = ZoneInfo(lab.time_zone)
    if query.who in KINDS:
        rows = rows.filter(actor_kind__in=KINDS[query.who])
    elif query.who:
        person = _uuid(query.who)
        rows = rows.filter(actor_id=person) if person else rows.none()
    if query.what:
        rows = rows.filter(action__startswith=f"{query.what}.")
    if query.since:
        rows = rows.filter(at__gte=_begins(query.since, zone))
    if query.until:
        rows = rows.filter(at__lt=_begins(query.until, zone, days=1))
    if query.case:
        rows = rows.filter(_of_case(query.case))
    return rows


def _begins(day: str, zone: ZoneInfo, *, days: int = 0) -> datetime:
    return datetime.combine(date.fromisoformat(day) + timedelta(days=days), time(), zone)


def _of_case(case: str) -> Q:
    if (order_id := _uuid(case)) is not None:
        return Q(object_id=str(order_id))
    return Q(facts__contains=f'"order": "{case}"') if CODE.fullmatch(case) else Q(pk=None)


def _uuid(text: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(text)
    return None


def page(lab: Lab, query: Query) -> tuple[list[dict[str, Any]], str]:
    """Rows for the template, and the address of the next page ('' on the last)."""
    rows = entries(lab, query)
    if query.before:
        rows = rows.filter(seq__lt=query.before)
    found = list(rows[: PAGE + 1])
    shown, zone = found[:PAGE], ZoneInfo(lab.time_zone)
    names = people(shown)
    more = query.url(before=shown[-1].seq) if len(found) > PAGE else ""
    return [_row(entry, names, zone) for entry in shown], more


def people(found: Iterable[Entry]) -> dict[str, str]:
    """The names of everybody who acts or is acted on in these entries, by id as text."""
    ids = {str(entry.actor_id) for entry in found if entry.actor_id}
    for entry in found:
        ids |= {value for value in (entry.object_id, entry.details.get("person")) if value}
    known = [given for text in ids if (given := _uuid(text)) is not None]
    return {str(person.pk): person.display_name for person in User.objects.filter(pk__in=known)}


def actor(entry: Entry, names: dict[str, str]) -> tuple[str, str]:
    """(who, what kind of who): "Theo", "" · "API key", "lp_AbCd" · "Olga", "Portal operator"."""
    name = names.get(str(entry.actor_id), "")
    if name:
        return name, ACTORS[OPERATOR] if entry.actor_kind == OPERATOR else ""
    shown = entry.actor_code if entry.actor_kind in {KEY, COMMAND} else ""
    return ACTORS.get(entry.actor_kind, entry.actor_kind), shown


def _row(entry: Entry, names: dict[str, str], zone: ZoneInfo) -> dict[str, Any]:
    facts, local = entry.details, entry.at.astimezone(zone)
    who, kind = actor(entry, names)
    about = names.get(str(facts.get("person", ""))) or names.get(entry.object_id, "")
    return {
        "seq": entry.seq,
        "day": local.strftime("%-d %b %Y"),
        "time": local.strftime("%H:%M:%S"),
        "moment": local.isoformat(),
        "who": who,
        "kind": kind,
        "ip": entry.ip,
        "what": in_words(entry.action, facts),
        "code": entry.action,
        "about": about if about != who else "",
        "case": facts.get("order", "") if entry.object_type == CASE else "",
        "case_url": reverse("case", args=[entry.object_id]) if entry.object_type == CASE else "",
    }


def choices_of_who(lab: Lab) -> list[tuple[str, str]]:
    """The members, and those that are no persons."""
    members = Membership.objects.of(lab).select_related("user").order_by("user__name", "user__email")
    others = [(KEY, "API keys"), ("portal", "The portal itself"), (OPERATOR, "The portal's operator")]
    return [(str(member.user_id), member.user.display_name) for member in members] + others
