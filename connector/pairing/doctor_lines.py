"""What the doctor says of the connections' silence, and of mails that are owed: numbers and codes, no names."""

from collections import Counter
from collections.abc import Iterator

from django.utils import timezone

from connector.pairing.alarm import Alarm
from connector.pairing.models import Pairing
from connector.pairing.portal_trouble import portal_trouble
from connector.pairing.silence import POLLED, cause, missed_looks, silent_for
from labportal.keeping.doctor_line import BAD, LOOK, OK, Line
from labportal.labs.routers import as_operator


def lines() -> Iterator[Line]:
    yield from _silent()
    yield from _owed()


def _silent() -> Iterator[Line]:
    now, trouble = timezone.now(), portal_trouble()
    fields = ("state", "poll_seconds", "succeeded_at", "paired_at", "reason")
    with as_operator():
        polled = list(Pairing.objects.filter(state__in=POLLED).only(*fields))
    silent = Counter(cause(pairing, trouble) for pairing in polled if silent_for(pairing, now) > missed_looks(pairing))
    for code, number in sorted(silent.items()):
        yield Line(BAD, "silence", f"{number} of {len(polled)} not checked: {code}", "operations.md has the codes.")
    if not silent:
        yield Line(OK, "silence", f"all {len(polled)} connections were checked lately")


def _owed() -> Iterator[Line]:
    with as_operator():
        tried = Alarm.objects.filter(ended_at=None, told_at=None).exclude(mail_error="")
        owed = Counter(tried.values_list("mail_error", flat=True))
    for error, number in sorted(owed.items()):
        todo = "Give the lab an owner." if error == "no_owner" else "Look at EMAIL_HOST and its log."
        yield Line(LOOK, "mails", f"{number} not sent: {error}", todo)
    if not owed:
        yield Line(OK, "mails", "none is owed")
