"""What the page API keys says of each key, in words."""

from typing import Any

from django.utils import timezone

from connector.lms.models import SCOPES, ApiKey
from connector.pairing.health import ago
from connector.pairing.models import Pairing, State
from labportal.labs.models import Lab

TONES = {"In use": "ok", "Revoked": "", "Expired": ""}


def connections_of(lab: Lab) -> list[Pairing]:
    """What a key can be limited to."""
    return list(Pairing.objects.of(lab).exclude(state=State.CONNECTING).order_by("account_name"))


def key_rows(lab: Lab) -> list[dict[str, Any]]:
    """The keys in use first, then those that ended, the newest first."""
    keys = list(ApiKey.objects.of(lab).select_related("created_by"))
    names = {pairing.pk: pairing.account_name for pairing in Pairing.objects.of(lab)}
    replaced = {key.replaces_id for key in keys}
    rows = [_row(key, names, key.pk in replaced) for key in keys]
    return sorted(rows, key=lambda row: not row["live"])


def _row(key: ApiKey, names: dict[Any, str], replaced: bool) -> dict[str, Any]:
    ending = key.is_live and replaced
    return {
        "id": key.pk,
        "name": key.name,
        "prefix": key.prefix,
        "live": key.is_live,
        "status": "Replaced, ends soon" if ending else key.status,
        "tone": "warn" if ending else TONES[key.status],
        "may_rotate": key.is_live and not replaced,
        "scopes": [SCOPES.get(scope, scope) for scope in key.scopes],
        "connections": [names.get(pk, "a connection that is gone") for pk in key.pairings]
        if key.pairings is not None
        else [],
        "networks": key.networks,
        "by": key.created_by.display_name if key.created_by else "the portal's operator",
        "made": timezone.localtime(key.created_at),
        "ends": key.revoked_at or key.expires_at,
        "used": ago(key.last_used_at) if key.last_used_at else "",
    }
