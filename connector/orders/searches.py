"""Words that somebody searched for: they may be a patient's name, so an address never carries them (decision 0032).

They are posted and lie sealed in the session; the address has a short id in their place, which opens them for this
person, in this lab, until the session ends.
"""

import secrets
from contextlib import suppress

from labportal.labs.access import LabRequest
from labportal.sealing import SealError, seal, unseal

KEPT = 10  # a session; the one that was made longest ago goes first
LONGEST = 200
IN_SESSION = "searches"


def cleaned(text: str) -> str:
    """What is searched for of what was typed."""
    return " ".join(text.replace("\x00", "").split())[:LONGEST]


def keep(request: LabRequest, text: str) -> str:
    """The id under which the words are found again; '' for no words."""
    words = cleaned(text)
    if not words:
        return ""
    kept = request.session.get(IN_SESSION, {})
    for search_id, sealed in kept.items():
        if _opened(request, sealed) == words:
            return str(search_id)
    search_id = secrets.token_urlsafe(9)
    sealed = seal({"words": words}, lab_id=request.lab.pk, owner_id=request.user.pk)
    request.session[IN_SESSION] = dict([*kept.items(), (search_id, sealed)][-KEPT:])
    return search_id


def words_of(request: LabRequest) -> str | None:
    """The words behind the address's `s`; '' when it has none, None when they are not here: another session's, another
    lab's, or too many searches ago."""
    search_id = request.GET.get("s", "")
    return _opened(request, request.session.get(IN_SESSION, {}).get(search_id, "")) if search_id else ""


def _opened(request: LabRequest, sealed: str) -> str | None:
    with suppress(SealError):
        return unseal(sealed, lab_id=request.lab.pk, owner_id=request.user.pk, names=["words"])["words"]
    return None
