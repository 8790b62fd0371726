"""One row of a lab in each table that no address names: so that no table of a world is empty (world.py)."""

from datetime import timedelta

from django.utils import timezone

from connector.break_glass.models import Look
from connector.intake.bookkeeping import Dismissal, Reconciliation
from connector.intake.models import Notification, NotificationState, RunStatus, SyncRun
from connector.orders.models import Event, EventHead, Restoration, Revision, ScanFile, SeenBy, TimelineEvent
from connector.pairing.alarm import Alarm, AlarmKind
from connector.pairing.models import Pairing
from labportal.labs.models import Lab, Membership, User
from labportal.signin.models import CompanyId, SignOn


def add_side_rows(lab: Lab, owner: User, mark: str, pairing: Pairing, revision: Revision) -> None:
    """In the transaction of the lab. What the operator may see of them is the account's number and name, as elsewhere;
    what has a time is over, so that no banner and no task comes of it."""
    now = timezone.now()
    _of_the_case(lab, owner, mark, revision)
    _of_the_connection(lab, owner, mark, pairing)
    Look.objects.create(lab=lab, by=owner, reason=mark, begun_at=now - timedelta(1), ends_at=now, ended_at=now)
    if not SignOn.objects.of(lab).exists():
        company = SignOn(lab=lab, issuer=f"https://{mark}1.example", client_id=f"{mark}1")
        company.set_secret(mark)
        company.save()
    membership = Membership.objects.of(lab).get(user=owner)
    CompanyId.objects.get_or_create(lab=lab, membership=membership, defaults={"subject": mark})


def _of_the_case(lab: Lab, owner: User, mark: str, revision: Revision) -> None:
    order, now = revision.order, timezone.now()
    Revision.objects.of(lab).filter(pk=revision.pk).update(vendor_status=f"{mark}1", rx={"notes": mark})
    ScanFile.objects.create(
        lab=lab, revision=revision, member=9, name=f"{mark}.txt", role="other", size=1, sha256="1" * 64
    )
    Restoration.objects.create(lab=lab, order=order, tooth=8, treatment=mark, material=mark)
    TimelineEvent.objects.create(
        lab=lab, order=order, revision=revision, at=now, kind="return_dismissed", facts={"note": mark}
    )
    SeenBy.objects.create(lab=lab, order=order, user=owner, number=1)
    head, _ = EventHead.objects.get_or_create(lab=lab)
    head.last += 1
    head.save()
    Event.objects.create(lab=lab, seq=head.last, kind="revision.stored", order=order, revision=revision)
    Dismissal.objects.create(lab=lab, revision=revision, note=mark, by=owner, at=now - timedelta(1))


def _of_the_connection(lab: Lab, owner: User, mark: str, pairing: Pairing) -> None:
    now = timezone.now()
    Notification.objects.create(lab=lab, pairing=pairing, rx_id=f"{mark}2", state=NotificationState.DONE)
    SyncRun.objects.create(lab=lab, pairing=pairing, kind="poll", status=RunStatus.NEW, ended_at=now)
    Reconciliation.objects.create(lab=lab, pairing=pairing, by=owner, ended_at=now, differing=[[f"{mark}2", "pending"]])
    Alarm.objects.create(lab=lab, pairing=pairing, kind=AlarmKind.STOPPED, since=now, told_at=now, told=1, ended_at=now)
