"""Our rules at allauth's door for company sign-in."""

import logging
from typing import Any
from uuid import UUID

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect

from labportal.audit.services import record
from labportal.signin import company
from labportal.signin.outgoing import GuardedSession
from labportal.signin.provider import LabProvider
from labportal.signin.words import sign_on_words

log = logging.getLogger(__name__)


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth publishes no types
    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        """Nothing is listed anywhere: a lab's provider is found by the lab's name or the address's domain."""
        return []

    def get_app(self, request: HttpRequest, provider: str, client_id: Any = None) -> SocialApp:
        return company.app_of(provider)

    def get_requests_session(self) -> GuardedSession:
        return GuardedSession()

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Only a member of the very lab whose provider this is. Whoever else it names is answered alike."""
        app = sociallogin.provider.app
        lab_id = UUID(app.settings["lab_id"])
        if not LabProvider.answers_our_question(sociallogin):
            raise _stop(request, "bad_token", lab_id)
        claims = sociallogin.account.extra_data["id_token"]
        try:
            user = company.member_of(lab_id, claims=claims, vouches=app.settings["vouches"])
        except company.NotLetIn as error:
            raise _stop(request, error.code, lab_id) from error
        sociallogin.user = user
        sociallogin.account.user = user

    def on_authentication_error(self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None,
                                extra_context: Any = None) -> None:  # fmt: skip
        code = "cancelled" if error == "cancelled" else "provider"
        log.warning("company sign-in failed: %s %s", error, type(exception).__name__ if exception else "")
        raise _stop(request, code, UUID(provider.app.settings["lab_id"]))


def _stop(request: HttpRequest, code: str, lab_id: UUID) -> ImmediateHttpResponse:
    """Back to the log-in with words; the lab's owner finds the attempt in the audit."""
    record("sign_on.refused", lab_id=lab_id, reason=code)
    messages.error(request, sign_on_words(code))
    return ImmediateHttpResponse(redirect("account_login"))
