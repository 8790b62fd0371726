"""A case whose zip lies in the store, as intake leaves it."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from django.utils import timezone

from connector.orders import store
from connector.orders.models import Order, Revision, RevisionState, ScanFile
from connector.simulator.cases import build_full_zip, invent_case
from labportal.labs.models import Lab
from labportal.labs.tenancy import in_lab
from tests.orders.make import make_order, make_pairing


@dataclass(frozen=True)
class StoredCase:
    """An order with one revision that is ready; `zip` is the whole content, `members` that of each file by its name."""

    order: Order
    revision: Revision
    zip: bytes
    members: dict[str, bytes]

    @property
    def url(self) -> str:
        return f"/api/v1/orders/{self.order.pk}"

    @property
    def zip_url(self) -> str:
        return f"{self.url}/revisions/1/zip"


def stored_case(lab: Lab, folder: Path) -> StoredCase:
    order = make_order(lab, make_pairing(lab))
    part = folder / "scan.part"
    build_full_zip(invent_case(7, "114582239", family="restorative", triangles=300), part)
    content = part.read_bytes()
    with zipfile.ZipFile(part) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with in_lab(lab.pk):
        revision = Revision.objects.of(lab).get(order=order)
        revision.archive = store.archive_name(lab.pk, order.pk, revision.pk)
        revision.state, revision.stored_at = RevisionState.READY, timezone.now()
        revision.size, revision.sha256 = len(content), hashlib.sha256(content).hexdigest()
        revision.save()
        store.take_over(part, revision.archive)
        ScanFile.objects.bulk_create(
            ScanFile(
                lab=lab, revision=revision, member=place, name=name, role="other", size=len(data),
                sha256=hashlib.sha256(data).hexdigest(), triangles=300, box_mm=[61.5, 48.0, 19.25],
            )
            for place, (name, data) in enumerate(members.items())
        )  # fmt: skip
    return StoredCase(order, revision, content, members)
