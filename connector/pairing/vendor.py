"""The one client of Align's API that this installation uses, built from its settings."""

from functools import cache

from django.conf import settings
from django.urls import reverse

from connector.itero import Client, Credentials, Profile, Server, load_profile


@cache
def profile() -> Profile:
    return load_profile(settings.ITERO_PROFILE or None)


@cache
def client() -> Client:
    """Built once a process; it keeps its connections open. Errors: ProfileError."""
    return Client(
        profile(),
        Server(
            oauth_base=settings.ITERO_OAUTH_BASE, base_url=settings.ITERO_BASE_URL, login_page=settings.ITERO_LOGIN_PAGE
        ),
        Credentials(settings.ITERO_CLIENT_ID, settings.ITERO_CLIENT_SECRET),
        redirect_uri=settings.BASE_URL + reverse("connect_callback"),
        allow_loopback=settings.SIMULATOR,
    )


def is_configured() -> bool:
    """Whether the operator has entered what Align's support handed out."""
    return bool(settings.ITERO_OAUTH_BASE and settings.ITERO_BASE_URL and settings.ITERO_CLIENT_ID)
