"""The mail of an alarm: what happened, what it means, what to do; as text and as HTML. No patient, no token."""

from email.headerregistry import Address
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from connector.pairing.alarm import Alarm
from connector.pairing.words import reason_words
from labportal.labs.mails import compose
from labportal.labs.services import owner_addresses


def send(alarm: Alarm) -> int:
    """Mail the lab's owners; how many there are. Errors: OSError, SMTPException of the mail server."""
    to = owner_addresses(alarm.lab_id)
    if to:
        texts, words = f"pairing/email/{alarm.kind}", _context(alarm)
        subject = render_to_string(f"{texts}_subject.txt", words)
        compose(texts, to, subject, words, {"Message-ID": _message_id(alarm)}).send()
    return len(to)


def _message_id(alarm: Alarm) -> str:
    """The same however often it is tried: who gets it twice sees it once."""
    host = Address(addr_spec=settings.DEFAULT_FROM_EMAIL.rpartition("<")[2].rstrip(">")).domain
    return f"<alarm.{alarm.pk}@{host}>"


def _context(alarm: Alarm) -> dict[str, str]:
    since = alarm.since.astimezone(ZoneInfo(alarm.lab.time_zone))
    return {
        "account": alarm.pairing.account_name,
        "account_id": alarm.pairing.account_id,
        "lab": alarm.lab.name,
        "since": f"{since:%-d %B %Y, %H:%M} ({alarm.lab.time_zone})",
        "why": reason_words(alarm.code),
        "link": settings.BASE_URL + reverse("connections"),
    }
