"""What a session remembers: when it began and was last used, and the lab whose own provider opened it.

Idle time slides without a row written at each request: the last use is written down at most once in WRITE_EVERY
seconds. What a page asks for by itself (a list that refreshes) says so in a header and counts as no use.
"""

import time
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY, get_authentication_records
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from labportal.labs.models import Membership, User

BEGAN, SEEN, ENROLLED, COMPANY = "began", "seen", "second_step_set_up", "company_lab"
BACKGROUND = "X-Background"
OVER = "_session_over"
NOTHING_CHANGED = "Nothing was changed yet. Confirm that it is you, then do it once more."
WRITE_EVERY = 60


def keep_no_form(request: HttpRequest) -> None:
    """allauth keeps a form that asks for a confirmation first, with its headers and cookies, in the session's row: in
    clear, and for hours. It may hold a secret, so it is sent again instead."""
    if request.session.pop(STATE_SESSION_KEY, None) is not None and request.user.is_authenticated:
        messages.warning(request, NOTHING_CHANGED)


class Limits(NamedTuple):
    """Seconds."""

    idle: int
    whole: int


def limits(memberships: Iterable[Membership]) -> Limits:
    """The installation's limits, or those of the strictest of the person's labs."""
    idle, whole = [settings.SESSION_IDLE_MINUTES * 60], [settings.SESSION_MAX_HOURS * 3600]
    for membership in memberships:
        idle += [membership.lab.idle_minutes * 60] if membership.lab.idle_minutes else []
        whole += [membership.lab.session_hours * 3600] if membership.lab.session_hours else []
    return Limits(min(idle), min(whole))


def words(seconds: int) -> str:
    """Whole hours as hours, all else in minutes."""
    if seconds % 3600:
        return f"{seconds // 60} minutes"
    return "1 hour" if seconds == 3600 else f"{seconds // 3600} hours"


def begin(request: HttpRequest, *, company_lab: str) -> None:
    """At log-in: the clocks start, and the log-in itself counts as a confirmation of who it is."""
    now = int(time.time())
    request.session[BEGAN] = request.session[SEEN] = now
    for key in (ENROLLED, COMPANY):
        request.session.pop(key, None)
    if company_lab:
        request.session[COMPANY] = company_lab
    records = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY) or []
    if records:
        request.session[AUTHENTICATION_METHODS_SESSION_KEY] = [*records[:-1], {**records[-1], "reauthenticated": True}]


def end_if_over(request: HttpRequest, memberships: Iterable[Membership]) -> bool:
    """Sign out whoever was idle or signed in for too long; else note that the session is used."""
    now, limit = int(time.time()), limits(memberships)
    began, seen = request.session.get(BEGAN, now), request.session.get(SEEN, now)
    why = "idle" if now - seen >= limit.idle else "old" if now - began >= limit.whole else ""
    if why:
        logout(request)
        setattr(request, OVER, why)
        return True
    if BEGAN not in request.session:
        request.session[BEGAN] = request.session[SEEN] = now
    elif now - seen >= WRITE_EVERY and BACKGROUND not in request.headers:
        request.session[SEEN] = now
    return False


def is_over(request: HttpRequest) -> bool:
    return hasattr(request, OVER)


def to_log_in(request: HttpRequest) -> HttpResponse:
    """To the log-in, which says why. The reason is in the address: signing out clears cookies and what is in them."""
    back = request.get_full_path() if request.method == "GET" else reverse("inbox")
    if "HX-Request" in request.headers:  # a part of a page: the page as a whole goes there
        back = urlsplit(request.headers.get("HX-Current-URL", "")).path or reverse("inbox")
    where = f"{reverse('account_login')}?{urlencode({'next': back, 'ended': getattr(request, OVER)})}"
    return HttpResponseClientRedirect(where) if "HX-Request" in request.headers else redirect(where)


def company_lab(request: HttpRequest) -> str:
    """The id of the lab whose own provider opened this session, or ''. Such a session is for that lab alone."""
    return str(request.session.get(COMPANY, ""))


def reachable(request: HttpRequest, memberships: list[Membership]) -> list[Membership]:
    """Of a person's memberships those that this session may act in."""
    only = company_lab(request)
    return [m for m in memberships if str(m.lab_id) == only] if only else memberships


def confirmed_lately(request: HttpRequest) -> bool:
    """Signed in, or asked again who it is, within ACCOUNT_REAUTHENTICATION_TIMEOUT seconds."""
    user = request.user if isinstance(request.user, User) else None
    records = [r for r in get_authentication_records(request, user) if r.get("reauthenticated")]
    return bool(records) and time.time() - records[-1]["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
