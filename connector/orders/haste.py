"""A bound on how much one person opens within an hour: nobody works that fast, but who took over a session does.

Case pages, files, and each case of a zip of several count; the pictures and previews of a page come with it, and lists
are not counted. OWASP ASVS 5.0 V2.4.1.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial, wraps
from typing import ParamSpec
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from labportal.audit.services import record_once
from labportal.counting import count, counted
from labportal.labs.access import LabRequest, LabView
from labportal.labs.afterwards import afterwards

P = ParamSpec("P")
HOUR = timedelta(hours=1)


def unhurried(view: LabView[P]) -> Callable[..., HttpResponseBase]:
    """Stands below @member. What was given out is counted when the request's transaction is over: nobody waits for a
    counter while a large zip is hashed."""

    @wraps(view)
    def guarded(request: LabRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        most, now = settings.OPENED_AN_HOUR, timezone.now()
        hour = int(now.timestamp()) // 3600
        name = f"opened:{request.lab.pk}:{request.user.pk}:{hour}"
        if most and counted(name) >= most:
            return _too_fast(request, most, datetime.fromtimestamp((hour + 1) * 3600, UTC), now)
        response = view(request, *args, **kwargs)
        if response.status_code < 300:
            several = len(set(request.POST.getlist("order")))
            afterwards(partial(count, name, seconds=2 * 3600, by=max(several, 1)))
        return response

    return guarded


def _too_fast(request: LabRequest, most: int, until: datetime, now: datetime) -> HttpResponseBase:
    record_once("case.too_fast", lab_id=request.lab.pk, within=HOUR, target="opened", most=most)
    local = until.astimezone(ZoneInfo(request.lab.time_zone))
    response = render(request, "orders/too_fast.html", {"most": most, "until": f"{local:%H:%M}"}, status=429)
    response.headers["Retry-After"] = str(int((until - now).total_seconds()) + 1)
    return response
