"""The mails of this folder."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.password_reset import request_password_reset
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from labportal.labs.mails import compose, is_sent
from labportal.labs.models import Lab, User
from labportal.labs.sign_in_trail import record_for_person
from labportal.people.models import Invitation, SignUp
from labportal.people.words import role_words


def mail_invitation(invitation: Invitation, lab: Lab, token: str) -> bool:
    """False when the mail server did not take it."""
    by = invitation.invited_by
    return _mail("people/mail/invitation", invitation.email, f"{lab.name} invites you to its lab portal", {
        "lab": lab.name, "by": by.display_name if by else "", "role": role_words(invitation.role),
        "link": _link("invitation_link", token), "email": invitation.email,
    })  # fmt: skip


def mail_sign_up(sign_up: SignUp, token: str) -> bool:
    """False when the mail server did not take it."""
    context = {"lab": sign_up.lab_name, "link": _link("sign_up_link", token), "email": sign_up.email}
    return _mail("people/mail/sign_up", sign_up.email, "Open your lab in the lab portal", context)


def mail_password_link(person: User, request: HttpRequest) -> bool:
    """The mail of a forgotten password, at the operator's wish. False when the mail server did not take it."""
    record_for_person("password.link_sent", person)
    return is_sent("password_link", lambda: request_password_reset(request, person.email, [person], None))


def mail_moved(person: User, *, before: str) -> bool:
    """To the address that was the person's until now. False when the mail server did not take it."""
    context = {"from_email": before, "to_email": person.email}
    adapter = get_adapter()
    return is_sent(
        "moved", lambda: adapter.send_notification_mail("account/email/email_changed", person, context, email=before)
    )


def _link(name: str, token: str) -> str:
    return settings.BASE_URL + reverse(name, args=[token])


def _mail(template: str, to: str, subject: str, context: dict[str, str]) -> bool:
    return is_sent(template, compose(template, [to], subject, context).send)
