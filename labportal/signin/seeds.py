"""Whose a seed is: a sealed one opens in its person's row and under its own name alone.

allauth's hooks `encrypt` and `decrypt` are told a text, not whose it is. So the text says it: what comes out of a row
is marked with the row's person when the row is read, and what was made just now is bound when it is put into a row. A
text without its mark opens nothing.
"""

import uuid
from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models.signals import post_init
from django.dispatch import receiver

from labportal.sealing import SealError, seal, unseal

PURPOSE = uuid.UUID("6a1f3a52-6b5e-4d0e-9a3f-1f1c5b0f7d10")
NAMES = ("secret", "seed")  # in a row's data: of an app, of recovery codes; a passkey is a public key


class Fresh(str):
    """Sealed a moment ago, for nobody yet. None comes out of the database."""


class Bound(str):
    """As it stands in a row: `owner_id` is what this person and this name make."""

    owner_id: uuid.UUID


def make(text: str) -> Fresh:
    return Fresh(seal({"text": text}, lab_id=None, owner_id=PURPOSE))


def bind(text: str, person_id: uuid.UUID, name: str) -> Bound:
    """Seal a clear text for one person, with the newest key."""
    owner_id = _owner(person_id, name)
    return _marked(seal({"text": text}, lab_id=None, owner_id=owner_id), owner_id)


def opened(sealed: str) -> str:
    """The clear text of what stands in a row. Errors: SealError; nothing falls back to the stored text."""
    if not isinstance(sealed, Bound):
        raise SealError("foreign")
    return unseal(sealed, lab_id=None, owner_id=sealed.owner_id)["text"]


@receiver(post_init, sender=Authenticator)
def say_whose(instance: Authenticator, **kwargs: Any) -> None:
    """Of a row that is read, and of one that allauth begins. Opens nothing that stood in a row."""
    there = instance.__dict__  # without what was deferred, which is not fetched for this
    data, person_id = there.get("data"), there.get("user_id")
    if not isinstance(data, dict) or person_id is None:
        return
    for name in NAMES:
        text = data.get(name)
        if isinstance(text, Fresh):
            clear = unseal(text, lab_id=None, owner_id=PURPOSE)["text"]
            data[name] = bind(clear, person_id, name)
        elif isinstance(text, str):
            data[name] = _marked(text, _owner(person_id, name))


def _owner(person_id: uuid.UUID, name: str) -> uuid.UUID:
    return uuid.uuid5(PURPOSE, f"{person_id} {name}")


def _marked(sealed: str, owner_id: uuid.UUID) -> Bound:
    text = Bound(sealed)
    text.owner_id = owner_id
    return text
