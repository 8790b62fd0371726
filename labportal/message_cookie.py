"""Django's one-time messages in a cookie that has the name prefix of the other two."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class NamedCookie(CookieStorage):
    cookie_name = settings.MESSAGES_COOKIE_NAME


class Storage(FallbackStorage):
    """In the cookie what fits, the rest in the session."""

    storage_classes = (NamedCookie, SessionStorage)
