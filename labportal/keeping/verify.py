"""Every stored zip is there and is the one that was stored, and so is what was made of it: the SHA-256 of each, one lab
after the other."""

from collections.abc import Iterator
from uuid import UUID

from connector.orders import derived
from connector.orders.models import HAS_FILES, Revision
from connector.orders.repair import Bad, keep_sound, stored
from connector.orders.soundness import look
from labportal.labs.models import Lab
from labportal.labs.routers import as_operator
from labportal.labs.tenancy import in_lab


def labs(slug: str = "") -> list[Lab]:
    """All labs, or the one of this short name."""
    with as_operator():
        chosen = Lab.objects.filter(slug=slug) if slug else Lab.objects.all()
        return list(chosen.order_by("slug"))


def check_lab(lab_id: UUID) -> Iterator[Bad | None]:
    """One answer for each stored revision; None is good. No transaction is open while bytes are read."""
    with in_lab(lab_id):
        ids = list(Revision.objects.of(lab_id).filter(state__in=HAS_FILES).order_by("stored_at").values_list("pk"))
    for (revision_id,) in ids:
        revision = stored(lab_id, revision_id)
        if revision is None:
            continue
        found = look(revision)
        if not found.code:
            with in_lab(lab_id):
                keep_sound(revision, found)
        code = found.code or derived.look(revision)
        now = stored(lab_id, revision_id) if code else None
        yield Bad(revision, code) if now and now.stored_at == revision.stored_at else None
