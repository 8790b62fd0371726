"""Secrets at rest: MultiFernet with named keys, bound to the lab and the row they belong to.

A sealed text is `key-id:ciphertext`. The plaintext carries lab and row, so a ciphertext copied to another row is
refused. An unknown key or foreign text raises; nothing ever falls back to the stored value.
"""

import json
from collections.abc import Iterable
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SealError(Exception):
    """A sealed text can't be opened: `code` is no_key, unknown_key, broken or foreign."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _ring() -> dict[str, MultiFernet]:
    """One MultiFernet a key id; the first id seals. Named, so that a missing key is told from a broken text."""
    ring = {}
    for entry in settings.TOKEN_KEYS:
        key_id, _, key = entry.partition(":")
        ring[key_id] = MultiFernet([Fernet(key)])
    if not ring:
        raise SealError("no_key")
    return ring


def seal(values: dict[str, str], *, lab_id: UUID | None, owner_id: UUID) -> str:
    """Encrypt `values` for one row (`owner_id`) of one lab; no lab for a person's own secret."""
    key_id, fernet = next(iter(_ring().items()))
    body = json.dumps({"lab": str(lab_id), "owner": str(owner_id), "values": values})
    return f"{key_id}:{fernet.encrypt(body.encode()).decode()}"


def unseal(sealed: str, *, lab_id: UUID | None, owner_id: UUID, names: Iterable[str] = ()) -> dict[str, str]:
    """What `seal` was given. `names` must be in it: a text of another column of the same row is foreign too.

    Errors: SealError."""
    key_id, _, text = sealed.partition(":")
    fernet = _ring().get(key_id)
    if fernet is None:
        raise SealError("unknown_key")
    try:
        body = json.loads(fernet.decrypt(text.encode()))
    except InvalidToken as error:
        raise SealError("broken") from error
    if body["lab"] != str(lab_id) or body["owner"] != str(owner_id):
        raise SealError("foreign")
    values: dict[str, str] = body["values"]
    if not values.keys() >= set(names):
        raise SealError("foreign")
    return values


def sealed_with_newest_key(sealed: str) -> bool:
    return sealed.partition(":")[0] == next(iter(_ring()))
