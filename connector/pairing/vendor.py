"""The one client of Align's API that this installation uses, built from its settings."""

from functools import cache

from django.conf import settings
from django.urls import reverse

from connector.itero import Client, Credentials, Pace, Profile, Server, load_profile


@cache
def profile() -> Profile:
    return load_profile(settings.ITERO_PROFILE or None)


@cache
def client() -> Client:
    """Built once a process; each call has a connection of its own. Errors: ProfileError."""
    return Client(
        profile(),
        Server(
            oauth_base=settings.ITERO_OAUTH_BASE, base_url=settings.ITERO_BASE_URL, login_page=settings.ITERO_LOGIN_PAGE
        ),
        Credentials(settings.ITERO_CLIENT_ID, settings.ITERO_CLIENT_SECRET),
        redirect_uri=settings.BASE_URL + reverse("connect_callback"),
        allow_loopback=settings.SIMULATOR,
        connect_timeout=settings.ITERO_CONNECT_SECONDS,
        read_timeout=settings.ITERO_READ_SECONDS,
        pace=Pace(settings.ITERO_PROGRESS_SECONDS, settings.ITERO_PROGRESS_BYTES),
    )


def is_configured() -> bool:
    """Whether the operator has entered what Align's support handed out."""
    return bool(settings.ITERO_OAUTH_BASE and settings.ITERO_BASE_URL and settings.ITERO_CLIENT_ID)
