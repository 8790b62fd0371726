"""Every stored zip is there and is the one that was stored: its SHA-256 against the row's, one lab after the other."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from connector.orders import store
from connector.orders.models import HAS_FILES, Revision
from labportal.labs.models import Lab
from labportal.labs.routers import as_operator
from labportal.labs.tenancy import in_lab

MISSING, CHANGED = "missing", "changed"


@dataclass(frozen=True)
class Bad:
    """A stored revision whose zip is `missing` or `changed` (unreadable, too); `order_id` is Align's."""

    lab_id: UUID
    revision_id: UUID
    order_id: str
    number: int
    code: str


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
        revision = _stored(lab_id, revision_id)
        if revision is None:
            continue
        code = check_archive(revision)
        if code and (now := _stored(lab_id, revision_id)) and now.archive == revision.archive:
            yield Bad(lab_id, revision.pk, revision.order.order_id, revision.number, code)
        else:
            yield None


def _stored(lab_id: UUID, revision_id: UUID) -> Revision | None:
    with in_lab(lab_id):
        rows = Revision.objects.of(lab_id).filter(pk=revision_id, state__in=HAS_FILES)
        return rows.select_related("order").first()


def check_archive(revision: Revision) -> str:
    """'' when the zip is the one that was stored, else MISSING or CHANGED."""
    digest = hashlib.sha256()
    try:
        with store.open_stored(revision.archive) as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    except FileNotFoundError:
        return MISSING
    except OSError:
        return CHANGED  # the disk can't read it back
    return "" if digest.hexdigest() == revision.sha256 else CHANGED
