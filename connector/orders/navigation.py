"""The left column: lanes with counts, lab pages, when Align was last checked; and the banners a person must see."""

from datetime import datetime
from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from connector.orders.banners import banners
from connector.orders.concerns import concerns_count
from connector.orders.inbox import LANES, Query, lane_filter
from connector.orders.models import COUNTED as COUNTED_CASES
from connector.orders.models import Order
from connector.pairing.health import ago, health
from connector.pairing.models import Pairing, State
from connector.pairing.portal_trouble import portal_trouble
from labportal.labs.access import missing_at_the_door
from labportal.labs.models import Lab

SHOWN_LANES = ("inbox", "work", "waiting", "overdue", "done")
BENEATH = {"lab_settings": ("sign_in_rules",)}  # pages that are reached from a link's page, at an address of their own
COUNTED = ("inbox", "work", "waiting", "overdue", "attention")


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Template context of every page of a member. Lazy: error pages never ask, and they have no lab's transaction."""
    if getattr(request, "lab", None) is None or request.path_info.startswith("/admin/"):
        return {"nav": None, "banners": []}
    if missing_at_the_door(request):  # type: ignore[arg-type]  # LabRequest's, as the line above says
        return {"nav": None, "banners": []}  # names of connections and numbers of cases are the lab's, too
    pairings: Any = SimpleLazyObject(lambda: _pairings(request))
    trouble = SimpleLazyObject(portal_trouble)
    return {
        "nav": SimpleLazyObject(lambda: _nav(request, pairings, trouble)),
        "banners": SimpleLazyObject(lambda: banners(request, pairings, str(trouble))),
    }


def _pairings(request: HttpRequest) -> list[Pairing]:
    lab: Lab = request.lab  # type: ignore[attr-defined]  # LabRequest's, checked above
    return list(Pairing.objects.of(lab).exclude(state=State.UNPAIRED))


def _nav(request: Any, pairings: Any, trouble: Any) -> dict[str, Any]:
    lab, membership = request.lab, request.membership
    checked = max((p.succeeded_at for p in pairings if p.succeeded_at), default=None)
    tones = [health(pairing, trouble=str(trouble)).tone for pairing in pairings]
    counts = lane_counts(lab)
    return {
        "lab_name": lab.name,
        "lab_initial": lab.name[:1].upper(),
        "role": membership.role,
        "labs": [{"name": m.lab.name, "slug": m.lab.slug, "current": m.lab_id == lab.pk} for m in request.memberships],
        "lanes": _lanes(request, counts),
        "links": [
            _link(request, "attention", "Needs attention", counts["attention"] + concerns_count(lab)),
            _link(request, "find", "Find my scan", 0),
            _link(request, "connections", "Connections", int("bad" in tones)),
            *([_link(request, "people", "People", 0)] if membership.may_manage else []),
            *([_link(request, "data", "Data", 0)] if membership.may_manage else []),
            *([_link(request, "lab_settings", "Settings", 0)] if membership.may_manage else []),
            *([_link(request, "api_keys", "API keys", 0)] if membership.may_manage else []),
            *([_link(request, "audit", "Audit", 0)] if membership.may_manage else []),
        ],
        "last_checked": _last_checked(checked, tones),
        "last_checked_tone": "bad" if "bad" in tones else "warn" if "warn" in tones or not tones else "ok",
        "is_operator": request.user.is_staff,
    }


def _last_checked(checked: datetime | None, tones: list[str]) -> str:
    if checked:
        return f"Align checked {ago(checked)}"
    return "Align was never checked" if tones else "Not connected to Align yet"


def lane_counts(lab: Lab) -> dict[str, int]:
    """How many cases stand in each lane."""
    today = timezone.localdate()
    orders = Order.objects.of(lab).filter(COUNTED_CASES)
    return orders.aggregate(**{lane: Count("pk", filter=lane_filter(lane, today)) for lane in COUNTED})


def _lanes(request: HttpRequest, counts: dict[str, int]) -> list[dict[str, Any]]:
    query = Query.read(request.GET)
    searches = "s" in request.GET
    current = query.lane if request.path_info == reverse("inbox") and not searches else ""  # a search is in no lane
    return [
        {
            "key": lane,
            "label": LANES[lane],
            "count": counts.get(lane),
            "url": reverse("inbox") + ("" if lane == "inbox" else f"?lane={lane}"),
            "active": lane == current,
            "tone": "bad" if lane == "overdue" and counts[lane] else "",
        }
        for lane in SHOWN_LANES
    ]


def _link(request: HttpRequest, name: str, label: str, bad: int) -> dict[str, Any]:
    """A page of the lab, with the number of things on it that a person must see to."""
    url = reverse(name)
    active = request.path_info.startswith((url, *(reverse(page) for page in BENEATH.get(name, ()))))
    return {"label": label, "url": url, "active": active, "count": bad or None, "tone": "bad" if bad else ""}
