"""The inbox: lanes, search, filters, sorts and keyset pages, in a fixed and small number of queries."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Upper
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from connector.orders.models import OPEN, Order, Revision, SeenBy, Workflow
from connector.orders.paging import LONGEST_CURSOR, PAGE, SORTS, cursor_after, page
from connector.orders.words import badge, due_words, since, status_words, teeth_words
from labportal.labs.models import Lab, User

LANES = {
    "inbox": "Inbox",
    "work": "In work",
    "waiting": "Waiting for doctor",
    "overdue": "Overdue",
    "attention": "Needs attention",
    "done": "Done",
    "all": "All cases",
}


@dataclass(frozen=True)
class Query:
    """What the address asks for; unknown words fall back to the inbox, never to an error. `q` are the words of a
    search, which the address names by the id `s` alone (searches.py); None when they are not here any more."""

    lane: str
    s: str
    q: str | None
    sort: str
    due: str
    pairing: str
    doctor: str
    cursor: str

    @classmethod
    def read(cls, get: QueryDict, *, words: str | None = "") -> "Query":
        lane, sort = get.get("lane", ""), get.get("sort", "")
        return cls(
            lane=lane if lane in LANES else "inbox",
            s="" if words == "" else get.get("s", "").replace("\x00", "")[:20],
            q=words,
            sort=sort if sort in SORTS else "received",
            due="week" if get.get("due") == "week" else "",
            pairing=_uuid(get.get("connection", "")),
            doctor=get.get("doctor", "").replace("\x00", "")[:300],
            cursor=get.get("after", "")[: LONGEST_CURSOR + 1],
        )

    def words(self, **changes: str) -> dict[str, str]:
        """The address's parameters with some answers changed; a change starts at the first page again."""
        words = {
            "lane": "" if self.lane == "inbox" else self.lane, "s": self.s,
            "sort": "" if self.sort == "received" else self.sort, "due": self.due, "connection": self.pairing,
            "doctor": self.doctor, "after": "",
        } | changes  # fmt: skip
        return {key: value for key, value in words.items() if value}

    def url(self, **changes: str) -> str:
        query = urlencode(self.words(**changes))
        return reverse("inbox") + (f"?{query}" if query else "")


def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""


def lane_filter(lane: str, today: date) -> Q:
    """Which orders stand in a lane."""
    return {
        "inbox": Q(workflow=Workflow.NEW, waiting_since=None),
        "work": Q(workflow=Workflow.IN_WORK, waiting_since=None),
        "waiting": Q(waiting_since__isnull=False),
        "overdue": OPEN & Q(due_date__lt=today),
        "attention": ~Q(problem=""),
        "done": Q(workflow=Workflow.DONE),
        "all": Q(),
    }[lane]


def listed(orders: QuerySet[Order], query: Query, today: date) -> QuerySet[Order]:
    """The orders of one lab that the address asks for, without order or page. A search looks in every lane."""
    if query.q is None:
        return orders.none()
    if not query.q:
        orders = orders.filter(lane_filter(query.lane, today))
    for word in query.q.split()[:8]:
        # In PostgreSQL's capitals, as the column is: Python's differ (ß).
        orders = orders.filter(search_text__contains=Upper(Value(word)))
    if query.due:
        orders = orders.filter(due_date__lte=today + timedelta(days=7))
    if query.pairing:
        orders = orders.filter(pairing_id=query.pairing)
    return orders.filter(doctor=query.doctor) if query.doctor else orders


def rows(orders: QuerySet[Order], query: Query, *, lab: Lab, user: User) -> tuple[list[dict[str, Any]], str]:
    """(rows in words, cursor of the next page or ''), with one query."""
    latest = Revision.objects.filter(lab_id=OuterRef("lab_id"), order=OuterRef("pk"), number=OuterRef("latest_number"))
    seen = SeenBy.objects.filter(
        lab_id=OuterRef("lab_id"), order=OuterRef("pk"), user=user, number__gte=OuterRef("latest_number")
    )
    found = list(
        page(orders, sort=query.sort, cursor=query.cursor, lab=lab)
        .annotate(
            state=Subquery(latest.values("state")[:1]), cause=Subquery(latest.values("cause")[:1]), opened=Exists(seen)
        )
        .values(
            "id", "order_id", "patient_first", "patient_last", "chart_number", "practice", "doctor", "summary",
            "procedure", "teeth", "shade", "due_date", "workflow", "waiting_since", "problem", "vendor_status",
            "received_at", "latest_number", "thumbnail", "state", "cause", "opened", "key",
        )
    )  # fmt: skip
    now, zone = timezone.now(), ZoneInfo(lab.time_zone)
    today = now.astimezone(zone).date()
    cursor = cursor_after(found[PAGE - 1]) if len(found) > PAGE else ""
    return [_in_words(row, now, today, zone, lab.tooth_notation) for row in found[:PAGE]], cursor


def _in_words(row: dict[str, Any], now: datetime, today: date, zone: ZoneInfo, notation: str) -> dict[str, Any]:
    due, due_tone = due_words(row["due_date"], today)
    status, tone = status_words(row, now)
    order = str(row["id"])
    return {
        "id": order,
        "url": f"/cases/{order}",
        "order_id": row["order_id"],
        "patient": ", ".join(p for p in (row["patient_last"], row["patient_first"]) if p) or "No name",
        "chart": row["chart_number"],
        "is_new": not row["opened"],
        "badge": badge(row["latest_number"], row["cause"]),
        "practice": row["practice"],
        "doctor": row["doctor"],
        "procedure": row["summary"] or row["procedure"],
        "teeth": teeth_words(row["teeth"], row["shade"], notation),
        "due": due,
        "due_tone": "" if row["workflow"] == Workflow.DONE else due_tone,
        "status": status,
        "status_tone": tone,
        "received": since(row["received_at"], now, zone),
        "received_iso": row["received_at"].isoformat(),
        "thumbnail_url": f"/cases/{order}/thumbnail?v={row['latest_number']}" if row["thumbnail"] else "",
    }
