"""A lab with one of everything that a page can show, each text marked so that it is found in any answer."""

import hashlib
import uuid
import zipfile
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from django.db import connections
from django.utils import timezone

from connector.lms.models import ApiKey
from connector.lms.services import make_key
from connector.orders import store
from connector.orders.models import Order, Revision, RevisionState, ScanFile
from connector.orders.soundness import look
from connector.pairing.models import ConnectAttempt, Pairing
from connector.retention.models import CaseHold, LabHold, RetentionPolicy
from connector.returns.models import Return, ReturnState
from labportal.labs.allow_list import GLOBAL_TABLES
from labportal.labs.models import Lab, Membership, Role, User
from labportal.labs.services import add_member, create_person
from labportal.labs.tenancy import in_lab
from labportal.people.models import Invitation
from tests.isolation.side_rows import add_side_rows
from tests.orders.make import make_order, make_pairing


@dataclass(frozen=True)
class World:
    """What a lab has; `mark` stands in every text of it and `scan` in its files."""

    mark: str
    pairing: Pairing
    order: Order
    revision: Revision
    scan: ScanFile
    picture: ScanFile
    attempt: ConnectAttempt
    returned: Return
    hold: CaseHold
    member: Membership
    invitation: Invitation
    key: ApiKey

    def ids(self) -> dict[str, str]:
        """The ids that addresses take, by the names that the addresses give them."""
        return {
            "order_id": str(self.order.pk), "file_id": str(self.scan.pk), "pairing_id": str(self.pairing.pk),
            "attempt_id": str(self.attempt.pk), "membership_id": str(self.member.pk),
            "invitation_id": str(self.invitation.pk), "number": str(self.revision.number),
            "api_key_id": str(self.key.pk),
        }  # fmt: skip

    def rows(self) -> list[object]:
        return [getattr(self, field.name) for field in fields(self) if field.name != "mark"]


def make_world(lab: Lab, owner: User, mark: str) -> World:
    """Committed rows of `lab`, and a stored zip with a scan, its preview, a picture and a thumbnail."""
    pairing = make_pairing(lab, account_id=f"{mark}1")
    with in_lab(lab.pk):
        Pairing.objects.of(lab).filter(pk=pairing.pk).update(account_name=f"{mark} account")
    texts: dict[str, Any] = dict.fromkeys(
        ("patient_last", "patient_first", "doctor", "practice", "notes", "chart_number"), mark
    )
    order = make_order(lab, pairing, f"{mark}2", **texts)
    with in_lab(lab.pk):
        revision = Revision.objects.of(lab).get(order=order)
        store_files(lab, order, revision, mark)
        scan, picture = (
            ScanFile.objects.create(
                lab=lab, revision=revision, member=member, name=name, role=role, size=len(mark),
                sha256=hashlib.sha256(mark.encode()).hexdigest(),
                preview=store.derived_name(revision.archive, name),
            )
            for member, (name, role) in enumerate([("upper.stl", "upper"), ("front.jpg", "thumbnail")])
        )  # fmt: skip
        attempt = ConnectAttempt.objects.create(
            lab=lab, user=owner, state_hash=uuid.uuid4().hex, sealed_verifier=mark, sealed_tokens=mark,
            accounts=[{"account_id": f"{mark}1", "name": mark, "kind": "lab", "address": mark}],
        )  # fmt: skip
        returned = Return.objects.create(
            lab=lab, order=order, revision=revision, reason="bite", comment=mark, state=ReturnState.REFUSED
        )
        hold = CaseHold.objects.create(lab=lab, order=order, reason=mark, by=owner)
        LabHold.objects.get_or_create(lab=lab, defaults={"reason": mark, "by": owner})
        kept = {"days": 3650, "starts_at": timezone.now(), "changed_by": owner}
        RetentionPolicy.objects.get_or_create(lab=lab, defaults=kept)
        invitation = Invitation.objects.create(
            lab=lab,
            email=f"{mark}-3@example.com",
            token_hash=uuid.uuid4().hex,
            expires_at=timezone.now() + timedelta(1),
        )
        add_side_rows(lab, owner, mark, pairing, revision)
    someone = create_person(email=f"{mark}-4@example.com", password=None, name=f"{mark}1 Kim")
    member = add_member(lab=lab, user=someone, role=Role.VIEWER)
    key, _ = make_key(lab=lab, name=f"{mark} account: LMS", by=owner)
    return World(mark, pairing, order, revision, scan, picture, attempt, returned, hold, member, invitation, key)


def store_files(lab: Lab, order: Order, revision: Revision, mark: str) -> None:
    """The revision's zip and what is derived from it, where the store keeps them."""
    body = BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name in ("upper.stl", "front.jpg"):
            archive.writestr(name, mark)
    revision.archive = store.archive_name(lab.pk, order.pk, revision.pk)
    revision.state, revision.stored_at = RevisionState.READY, timezone.now()
    revision.sha256, revision.size = hashlib.sha256(body.getvalue()).hexdigest(), len(body.getvalue())
    revision.save()
    order.thumbnail = store.derived_name(revision.archive, "small.jpg")
    order.save()
    _write(revision.archive, body.getvalue())
    revision.pieces = look(revision).pieces  # as after the first look, which writes them down
    revision.save()
    for name in ("upper.stl", "front.jpg", "small.jpg"):
        _write(store.derived_name(revision.archive, name), mark.encode())


def _write(name: str, body: bytes) -> None:
    path = store.local_path(name)
    assert isinstance(path, Path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)


def lab_tables() -> list[str]:
    """Every table that holds one lab's records, as the database has it."""
    tables = connections["owner"].introspection.table_names()
    return sorted(table for table in tables if table not in GLOBAL_TABLES and table not in NO_MODEL)


# Tables without a model of ours: Django's own bookkeeping and the shared cache.
NO_MODEL = ("django_migrations", "labportal_cache")


def fingerprint(lab_id: uuid.UUID | None = None) -> dict[str, str]:
    """A hash of all rows of each lab table, seen through the operator's role; of one lab, or of all and the queue."""
    with connections["operator"].cursor() as cursor:
        cursor.execute(_every_table(), {"lab": lab_id})
        return dict(cursor.fetchall())


@cache
def _every_table() -> str:
    one = (
        "SELECT '{table}', coalesce(md5(string_agg({row}, '|' ORDER BY t.id)), '') FROM {table} t "
        "WHERE %(lab)s::uuid IS NULL OR t.{lab} = %(lab)s"
    )
    # When a member was last seen is noted after every answer, also a refusal.
    rows = {"labs_membership": "(to_jsonb(t) - 'last_seen_at')::text"}
    tables = [
        one.format(table=table, lab="id" if table == "labs_lab" else "lab_id", row=rows.get(table, "t::text"))
        for table in lab_tables()
    ]
    return " UNION ALL ".join(
        [*tables, "SELECT 'rings', count(*)::text FROM django_q_ormq WHERE %(lab)s::uuid IS NULL"]
    )
