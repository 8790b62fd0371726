"""Our rules at allauth's door."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import reverse

from labportal.labs import sessions
from labportal.labs.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth publishes no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People come in by their lab's owner or the operator, never by signing themselves up."""
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """allauth counts by the host with its port as well, and any port passes ALLOWED_HOSTS: whoever sends
        another one each time would be counted anew."""
        return str(credentials.get("email", credentials.get("username", ""))).lower()

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, Any]]:
        """Whoever came in by their company confirms there; password and second step serve as well."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        lab = getattr(self.request, "lab", None)
        if lab is not None and sessions.company_lab(self.request) == str(lab.pk):
            url = reverse("company_door", args=[lab.slug])
            methods.insert(0, {"id": "company", "description": "Sign in with your company", "url": url})
        return methods
