"""What happens at the moments that allauth announces."""

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from labportal.labs import sessions
from labportal.labs.second_step import FACTORS
from labportal.signin.mfa import burn_enrolment


@receiver(account.user_logged_in)
def mark_company_session(request: HttpRequest, sociallogin: Any = None, **kwargs: Any) -> None:
    """allauth's signal, which comes after Django's, knows how the person came in."""
    if sociallogin is not None:
        sessions.begin(request, company_lab=sociallogin.provider.app.settings["lab_id"])


@receiver(user_logged_in)
def begin_session(request: HttpRequest, **kwargs: Any) -> None:
    sessions.begin(request, company_lab="")


@receiver(mfa.authenticator_added)
def second_step_was_set_up(request: HttpRequest, authenticator: Authenticator, **kwargs: Any) -> None:
    """Whoever has just proved a new second step need not show it again in this session."""
    if authenticator.type in FACTORS:
        request.session[sessions.ENROLLED] = True
    if authenticator.type == Authenticator.Type.TOTP:
        burn_enrolment(authenticator, request.POST.get("code", ""))
