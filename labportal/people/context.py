"""What the log-in page must know of this folder."""

from django.conf import settings
from django.http import HttpRequest


def sign_up(request: HttpRequest) -> dict[str, bool]:
    """Whether the log-in page offers to open a lab."""
    return {"lab_sign_up": settings.LAB_SIGN_UP}
