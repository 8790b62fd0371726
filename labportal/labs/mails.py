"""Mails in our colours: plain text, and the same as HTML in templates/mail/_frame.html. A mail names the lab, never a
case."""

import logging
from collections.abc import Callable, Mapping
from smtplib import SMTPException
from uuid import UUID

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from labportal.labs.services import owner_addresses

log = logging.getLogger(__name__)


def compose(
    template: str, to: list[str], subject: str, context: Mapping[str, str], headers: dict[str, str] | None = None
) -> EmailMultiAlternatives:
    """`template` without its ending: `.txt` and `.html` are there."""
    words = {name: " ".join(value.split()) for name, value in context.items()}
    text = render_to_string(f"{template}.txt", words)
    mail = EmailMultiAlternatives(" ".join(subject.split()), text, to=to, headers=headers)
    mail.attach_alternative(render_to_string(f"{template}.html", words), "text/html")
    return mail


def mail_owners(template: str, lab_id: UUID, subject: str, context: Mapping[str, str]) -> None:
    """One to each owner. A mail server that is away stops nothing: the lab's pages and its audit tell it, too."""
    for owner in owner_addresses(lab_id):
        is_sent(template, compose(template, [owner], subject, context).send)


def is_sent(what: str, send: Callable[[], object]) -> bool:
    """False when the mail server did not take it; the log says so, without an address."""
    try:
        send()
    except (SMTPException, OSError) as error:
        log.warning("mail_not_sent %s %s", what, type(error).__name__)
        return False
    return True
