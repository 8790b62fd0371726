"""Making, replacing, revoking and recognising API keys; pages, admin, command and requests all come here."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from connector.lms.key_text import is_well_formed, key_hash, new_key_text, prefix_of
from connector.lms.models import ApiKey, read_only
from labportal.audit.services import record
from labportal.labs.models import Lab, User
from labportal.labs.tenancy import in_lab, name_lab, narrow_to

USE_NOTED_EVERY = timedelta(minutes=1)


class KeyRefused(Exception):
    """What was asked of a key can't be done; `code` is made_already, not_live or replaced_already."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Limits:
    """What a key may do: `pairings` None is all of the lab, no `networks` is from anywhere, no end is until revoked."""

    scopes: Sequence[str] = tuple(read_only())
    pairings: Collection[UUID] | None = None
    networks: Sequence[str] = ()
    expires_at: datetime | None = None


EVERYTHING = Limits()


def make_key(
    *, lab: Lab, name: str, by: User | None, limits: Limits = EVERYTHING, form: UUID | None = None
) -> tuple[ApiKey, str]:
    """A new key of a lab, and its text, which nobody can show again. Errors: KeyRefused."""
    with in_lab(lab.pk):
        return _make(lab.pk, name=name, by=by, limits=limits, form=form)


def rotate_key(*, key: ApiKey, by: User | None, grace: timedelta, form: UUID | None = None) -> tuple[ApiKey, str]:
    """A successor with the same limits and as long a life; the key itself ends after `grace`, and the one before it at
    once: no more than two are live. Errors: KeyRefused."""
    now = timezone.now()
    with in_lab(key.lab_id):
        old = ApiKey.objects.of(key.lab_id).select_for_update().get(pk=key.pk)
        if not old.is_live:
            raise KeyRefused("not_live")
        if ApiKey.objects.of(key.lab_id).filter(replaces=old).exists():
            raise KeyRefused("replaced_already")
        life = old.expires_at - old.created_at if old.expires_at is not None else None
        limits = Limits(old.scopes, old.pairings, old.networks, now + life if life is not None else None)
        made = _make(key.lab_id, name=old.name, by=by, limits=limits, form=form, replaces=old)
        if old.replaces_id is not None:
            ApiKey.objects.of(key.lab_id).filter(pk=old.replaces_id, revoked_at=None).update(revoked_at=now)
        if grace:
            old.expires_at = min(now + grace, old.expires_at or now + grace)
        else:
            old.revoked_at = now
        old.save(update_fields=["expires_at", "revoked_at"])
        record("key.replaced", lab_id=key.lab_id, target=old, key=old.prefix, by=made[0].prefix, days=grace.days)
    return made


def _make(
    lab_id: UUID, *, name: str, by: User | None, limits: Limits, form: UUID | None, replaces: ApiKey | None = None
) -> tuple[ApiKey, str]:
    if form is not None and ApiKey.objects.of(lab_id).filter(asked_by_form=form).exists():
        raise KeyRefused("made_already")
    text = new_key_text()
    key = ApiKey.objects.create(
        lab_id=lab_id,
        name=name,
        prefix=prefix_of(text),
        key_hash=key_hash(text),
        scopes=list(limits.scopes),
        pairings=None if limits.pairings is None else list(limits.pairings),
        networks=list(limits.networks),
        expires_at=limits.expires_at,
        replaces=replaces,
        asked_by_form=form,
        created_by=by,
    )
    record("key.made", lab_id=lab_id, target=key, key=key.prefix)
    return key, text


def revoke_key(*, key: ApiKey) -> None:
    """From now on the key opens nothing; a key that was revoked before keeps its date."""
    with in_lab(key.lab_id):
        live = ApiKey.objects.of(key.lab_id).filter(pk=key.pk, revoked_at=None)
        if live.update(revoked_at=timezone.now()):
            record("key.revoked", lab_id=key.lab_id, target=key, key=key.prefix)


def recognise(text: str) -> ApiKey | None:
    """The live key with this text; then the running transaction acts for its lab and for no person, and sees the cases
    of the key's pairings only."""
    found = _lab_and_key(text) if is_well_formed(text) else None
    if found is None:
        return None
    lab_id, key_id = found
    name_lab(lab_id, None)
    key = ApiKey.objects.of(lab_id).filter(pk=key_id).first()
    if key is not None:
        narrow_to(key.scope)
    return key


def note_use(key: ApiKey) -> None:
    """Keep when the key was last used, to the minute: a walk through many pages writes once."""
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at >= USE_NOTED_EVERY:
        with in_lab(key.lab_id):
            ApiKey.objects.of(key.lab_id).filter(pk=key.pk).update(last_used_at=now)


def _lab_and_key(text: str) -> tuple[UUID, UUID] | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT lab_id, key_id FROM resolve.api_key(%s)", [key_hash(text)])
        row = cursor.fetchone()
    return (row[0], row[1]) if row else None
