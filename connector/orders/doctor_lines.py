"""What the doctor says of the stored scans: whether each was hashed in time. Numbers only."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from connector.orders.models import HAS_FILES, Revision
from connector.orders.soundness import LAST_SOUND
from labportal.keeping.doctor_line import LOOK, OK, Line
from labportal.labs.routers import as_operator

LATE = timedelta(days=1)
TODO = "manage.py verify names those that are missing or unreadable; else the workers don't keep up."


def lines() -> Iterator[Line]:
    limit = timezone.now() - timedelta(days=settings.SCANS_CHECKED_DAYS) - LATE
    with as_operator():
        late = Revision.objects.alias(looked=LAST_SOUND).filter(state__in=HAS_FILES, looked__lt=limit).count()
    if late:
        yield Line(LOOK, "stored scans", f"{late} not hashed for {settings.SCANS_CHECKED_DAYS} days", TODO)
    else:
        yield Line(OK, "stored scans", f"all hashed within {settings.SCANS_CHECKED_DAYS} days")
