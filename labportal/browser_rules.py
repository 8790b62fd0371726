"""What every answer tells the browser, whoever made it: a page, a file, the REST export, an error, a static file.

Outermost in settings.MIDDLEWARE, so that an answer made by another middleware (a refused host, a redirect to https) has
it too. Content-Security-Policy is django-csp's; HSTS, COOP, Referrer-Policy and nosniff are SecurityMiddleware's.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase

# Denied but for what a page of ours uses: passkeys at log-in, "Copy" buttons, the 3D view over the whole screen.
# Names that Chromium knows; an unknown one would be a complaint on every page's console.
USED = ("clipboard-write", "fullscreen", "publickey-credentials-create", "publickey-credentials-get")
UNUSED = (
    "accelerometer", "autoplay", "browsing-topics", "camera", "clipboard-read", "display-capture", "encrypted-media",
    "gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection", "local-fonts",
    "magnetometer", "microphone", "midi", "otp-credentials", "payment", "picture-in-picture", "screen-wake-lock",
    "serial", "storage-access", "sync-xhr", "usb", "window-management", "xr-spatial-tracking",
)  # fmt: skip
PERMISSIONS = ", ".join([*(f"{name}=(self)" for name in USED), *(f"{name}=()" for name in UNUSED)])

ALWAYS = {
    "Permissions-Policy": PERMISSIONS,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": settings.X_FRAME_OPTIONS,
}
# What is handed out as a file never runs as ours, whatever is in it and wherever it is opened.
DOWNLOAD_POLICY = "sandbox; default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
# A lab's computers have several users: nothing of the last one is left for the next.
SIGNED_OUT = '"cache", "cookies", "storage"'
SIGNED_OUT_MARK = "_signed_out"


# What programs call is not redirected from http: the key was sent in clear already, and nobody would notice.
PROGRAMS = ("/api/", "/notify/")


class BrowserRules:
    """Sets the headers; what is no static file is never kept by a browser or a proxy."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = _refused_without_tls() if _needs_tls(request) else self.get_response(request)
        for name, value in ALWAYS.items():
            response.headers.setdefault(name, value)
        if not _is_static(request, response) and "no-store" not in response.headers.get("Cache-Control", ""):
            response.headers["Cache-Control"] = "no-store"
        if response.headers.get("Content-Disposition", "").startswith("attachment"):
            response.headers["Content-Security-Policy"] = DOWNLOAD_POLICY
        if hasattr(request, SIGNED_OUT_MARK):
            response.headers["Clear-Site-Data"] = SIGNED_OUT
        return response


def _needs_tls(request: HttpRequest) -> bool:
    return settings.SECURE_SSL_REDIRECT and not request.is_secure() and request.path_info.startswith(PROGRAMS)


def _refused_without_tls() -> HttpResponse:
    words = "Use https. A key that was sent over http has been seen on the way: replace it.\n"
    rule = {"Content-Security-Policy": DOWNLOAD_POLICY}
    return HttpResponse(words, status=403, content_type="text/plain; charset=utf-8", headers=rule)


def _is_static(request: HttpRequest, response: HttpResponseBase) -> bool:
    return request.path_info.startswith(settings.STATIC_URL) and response.status_code < 400


@receiver(user_logged_out)
def _remember(sender: Any, request: HttpRequest | None, **kwargs: Any) -> None:
    """However the session ended: the button, a time-out, an account that was switched off."""
    if request is not None:
        setattr(request, SIGNED_OUT_MARK, True)


@receiver(user_logged_in)
def _forget(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    """Signed out and in again in one answer, as by a company's sign-in: the new session's cookie must stay."""
    if hasattr(request, SIGNED_OUT_MARK):
        delattr(request, SIGNED_OUT_MARK)
