"""A wrong setting for the store of scans is caught before the first scan."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from labportal.labs.checks import must_be_encrypted

BARE, OURS = "storages.backends.s3.S3Storage", "connector.orders.bucket.Bucket"


@register()
def bucket_is_ours(**kwargs: Any) -> list[CheckMessage]:
    """The library's own class would turn an outage into an error page, and leave older versions of a removed case."""
    if settings.STORAGES["scans"]["BACKEND"] == BARE:
        return [Error(f"SCANS_STORAGE: for S3 it must be {OURS}, not {BARE}.", id="orders.E001")]
    return []


@register()
def line_to_the_bucket_is_encrypted(**kwargs: Any) -> list[CheckMessage]:
    address = urlsplit(str(settings.STORAGES["scans"].get("OPTIONS", {}).get("endpoint_url") or ""))
    if address.scheme == "http" and must_be_encrypted(address.hostname or ""):
        return [Error("SCANS_STORAGE_OPTIONS: endpoint_url must begin with https://.", id="orders.E002")]
    return []
