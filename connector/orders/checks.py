"""A wrong setting for the store of scans is caught before the first scan."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

BARE, OURS = "storages.backends.s3.S3Storage", "connector.orders.bucket.Bucket"


@register()
def bucket_is_ours(**kwargs: Any) -> list[CheckMessage]:
    """The library's own class would turn an outage into an error page, and leave older versions of a removed case."""
    if settings.STORAGES["scans"]["BACKEND"] == BARE:
        return [Error(f"SCANS_STORAGE: for S3 it must be {OURS}, not {BARE}.", id="orders.E001")]
    return []
