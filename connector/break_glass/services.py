"""Begin and end a look; the lab hears of it by mail, by a banner and in its audit."""

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from connector.break_glass.models import Look
from labportal.audit.services import record
from labportal.labs.mails import mail_owners
from labportal.labs.models import Lab, User
from labportal.labs.tenancy import in_lab

MINUTES = (15, 30, 60)
SHORTEST = 10  # characters of a reason


def begin(*, lab: Lab, by: User, reason: str, minutes: int) -> Look:
    """From now on `by` may read this lab's cases, for `minutes`. Errors: ValueError for a reason or a time that no form
    offers."""
    reason = " ".join(reason.replace("\x00", "").split())
    if minutes not in MINUTES or not SHORTEST <= len(reason) <= 300:
        raise ValueError("reason or minutes")
    now = timezone.now()
    with in_lab(lab.pk):
        look = Look.objects.create(
            lab=lab, by=by, reason=reason, begun_at=now, ends_at=now + timedelta(minutes=minutes)
        )
        for chain in (lab.pk, None):
            record("break_glass.begun", lab_id=chain, target=look, minutes=minutes, person=by.pk)
    _tell(look, lab, by)
    return look


def end(*, look: Look) -> None:
    """Before its time."""
    with in_lab(look.lab_id):
        if still_open(look.lab_id).filter(pk=look.pk).update(ended_at=timezone.now()):
            for chain in (look.lab_id, None):
                record("break_glass.ended", lab_id=chain, target=look)


def still_open(lab_id: UUID) -> QuerySet[Look]:
    return Look.objects.of(lab_id).filter(ended_at=None, ends_at__gt=timezone.now())


def banner(request: Any) -> dict[str, str] | None:
    """What every page of the lab says meanwhile, of each operator who looks."""
    looks = list(still_open(request.lab.pk).select_related("by").order_by("begun_at"))
    if not looks:
        return None
    manages = request.membership.may_manage
    return {
        "tone": "info",
        "text": " · ".join(_said(look, ZoneInfo(request.lab.time_zone)) for look in looks),
        "action_label": "See what was looked at" if manages else "",
        "action_url": f"{reverse('audit')}?what=break_glass" if manages else "",
    }


def _said(look: Look, zone: ZoneInfo) -> str:
    who = look.by.display_name if look.by else "The operator"
    until = f"{look.ends_at.astimezone(zone):%H:%M}"
    return f"The portal's operator ({who}) may read your lab's cases until {until}. Reason: {look.reason}"


def _tell(look: Look, lab: Lab, by: User) -> None:
    zone = ZoneInfo(lab.time_zone)
    context = {
        "lab": lab.name,
        "who": by.display_name,
        "email": by.email,
        "reason": look.reason,
        "begun": f"{look.begun_at.astimezone(zone):%-d %B %Y, %H:%M}",
        "until": f"{look.ends_at.astimezone(zone):%H:%M} ({lab.time_zone})",
        "link": f"{settings.BASE_URL}{reverse('audit')}?what=break_glass",
    }
    mail_owners("break_glass/begun_mail", lab.pk, "The portal's operator opened your lab's cases", context)
