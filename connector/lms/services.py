"""Making, revoking and recognising API keys; the admin, the command and the requests all come here."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from connector.lms.key_text import is_well_formed, key_hash, new_key_text, prefix_of
from connector.lms.models import READ_ORDERS, ApiKey
from labportal.audit.services import record
from labportal.labs.models import Lab, User
from labportal.labs.tenancy import in_lab, name_lab

USE_NOTED_EVERY = timedelta(minutes=1)


def make_key(
    *, lab: Lab, name: str, by: User | None, scopes: Sequence[str] = (READ_ORDERS,), expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """A new key of a lab, and its text, which nobody can show again."""
    text = new_key_text()
    with in_lab(lab.pk):
        key = ApiKey.objects.create(
            lab_id=lab.pk,
            name=name,
            prefix=prefix_of(text),
            key_hash=key_hash(text),
            scopes=list(scopes),
            created_by=by,
            expires_at=expires_at,
        )
        record("key.made", lab_id=lab.pk, target=key, key=key.prefix)
    return key, text


def revoke_key(*, key: ApiKey) -> None:
    """From now on the key opens nothing; a key that was revoked before keeps its date."""
    with in_lab(key.lab_id):
        live = ApiKey.objects.of(key.lab_id).filter(pk=key.pk, revoked_at=None)
        if live.update(revoked_at=timezone.now()):
            record("key.revoked", lab_id=key.lab_id, target=key, key=key.prefix)


def recognise(text: str) -> ApiKey | None:
    """The live key with this text; then the running transaction acts for its lab, and for no person."""
    found = _lab_and_key(text) if is_well_formed(text) else None
    if found is None:
        return None
    lab_id, key_id = found
    name_lab(lab_id, None)
    return ApiKey.objects.of(lab_id).filter(pk=key_id).first()


def note_use(key: ApiKey) -> None:
    """Keep when the key was last used, to the minute: a walk through many pages writes once."""
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at >= USE_NOTED_EVERY:
        ApiKey.objects.of(key.lab_id).filter(pk=key.pk).update(last_used_at=now)


def _lab_and_key(text: str) -> tuple[UUID, UUID] | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT lab_id, key_id FROM resolve.api_key(%s)", [key_hash(text)])
        row = cursor.fetchone()
    return (row[0], row[1]) if row else None
