"""Log-ins, passwords and second steps in the audit: in the installation's chain, and in those of the person's labs.

A failed log-in stands in the installation's chain alone: writing to the labs of a known person would take a moment
longer than for an unknown one, and so tell which addresses are known.
"""

from typing import Any
from uuid import UUID

from allauth.account import signals as account
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa import signals as mfa
from django.contrib.auth import signals as auth
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from labportal.audit.services import Fact, record
from labportal.labs.models import Membership, User
from labportal.labs.tenancy import name_lab


def record_for_person(action: str, person: User, **facts: Fact) -> None:
    """An act on somebody's own account, which every lab of theirs may know of."""
    for chain in (None, *labs_of(person)):
        record(action, lab_id=chain, target=person, **facts)


def labs_of(person: User) -> list[UUID]:
    with transaction.atomic():
        before = name_lab(None, person.pk)
        found = list(Membership.objects.filter(user=person).values_list("lab_id", flat=True))
        name_lab(*before)
    return found


@receiver(auth.user_logged_in)
def _logged_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    record_for_person("log_in.done", user, how=_ways(request))


def _ways(request: HttpRequest) -> str:
    """How somebody came in: "password", "password+totp", "webauthn", "socialaccount" (a lab's own provider)."""
    records = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY) or []
    return "+".join(str(each.get("type") or each.get("method")) for each in records) or "other"


@receiver(auth.user_logged_out)
def _logged_out(sender: Any, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        record_for_person("log_in.ended", user)


@receiver(auth.user_login_failed)
def _failed(sender: Any, credentials: dict[str, Any], **kwargs: Any) -> None:
    """Never what was typed: a password lands in the wrong field easily."""
    typed = str(credentials.get("email") or credentials.get("username") or "").strip().lower()
    person = User.objects.filter(email=typed).first()
    record("log_in.failed", lab_id=None, target=person, known=person is not None)


@receiver(mfa.authentication_failed)
def _second_step_failed(sender: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    """The password was right, so its person's labs may know."""
    record_for_person("second_step.failed", user, kind=authenticator.type)


@receiver(account.password_changed)
@receiver(account.password_set)
def _password_changed(sender: Any, user: User, **kwargs: Any) -> None:
    record_for_person("password.changed", user)


@receiver(account.password_reset)
def _password_reset(sender: Any, user: User, **kwargs: Any) -> None:
    record_for_person("password.reset", user)


@receiver(account.email_changed)
def _email_changed(sender: Any, user: User, **kwargs: Any) -> None:
    record_for_person("email.changed", user)


@receiver(mfa.authenticator_added)
def _second_step_added(sender: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    record_for_person("second_step.added", user, kind=authenticator.type)


@receiver(mfa.authenticator_removed)
def _second_step_removed(sender: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    record_for_person("second_step.removed", user, kind=authenticator.type)


@receiver(mfa.authenticator_reset)
def _second_step_reset(sender: Any, user: User, authenticator: Any, **kwargs: Any) -> None:
    record_for_person("second_step.reset", user, kind=authenticator.type)
