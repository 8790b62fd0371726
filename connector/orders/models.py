"""Order, Revision and what hangs on them. An order is (pairing, order id); a new status or new files are a revision."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce

from connector.orders import keys
from connector.pairing.models import Pairing
from labportal.labs.models import LabQuerySet, LabScoped


class Workflow(models.TextChoices):
    """Where the lab stands with a case; Align never sees it."""

    NEW = "new", "New"
    IN_WORK = "in_work", "In work"
    DONE = "done", "Done"


# What the lanes with a number are about (navigation.lane_counts).
OPEN = ~Q(workflow=Workflow.DONE)
COUNTED = OPEN | Q(waiting_since__isnull=False) | ~Q(problem="")


class RevisionState(models.TextChoices):
    """The way of a revision's files. Only SEEN, RETRY and an expired FETCHING may be fetched."""

    ASKED_LATER = "asked_later", "Waiting until somebody asks"
    SEEN = "seen", "Coming in"
    FETCHING = "fetching", "Downloading"
    RETRY = "retry", "Will be tried again"
    STORED = "stored", "Stored"
    READY = "ready", "Ready"
    QUARANTINED = "quarantined", "Held back"
    DEAD = "dead", "Stopped"
    GONE = "gone", "No longer at Align"
    SUPERSEDED = "superseded", "Replaced before it was fetched"
    ERASED = "erased", "Removed"


HAS_FILES = (RevisionState.STORED, RevisionState.READY)
ON_ITS_WAY = (RevisionState.SEEN, RevisionState.FETCHING, RevisionState.RETRY)
STOPPED = (RevisionState.QUARANTINED, RevisionState.DEAD, RevisionState.GONE)

SUPERSEDED = "superseded"  # the reason of a revision in that state


class Wants(models.TextChoices):
    """What is to be fetched for a revision."""

    FULL = "full", "All scan files"
    THUMBNAILS = "thumbnails", "Pictures only"


class ErasedWhy(models.TextChoices):
    """Why a case was removed."""

    RETENTION = "retention", "its time of keeping was over"
    REQUEST = "request", "somebody of the lab removed the patient's data"


AllOrders = models.Manager.from_queryset(LabQuerySet)


class StandingOrders(AllOrders["Order"]):
    """All but the removed cases, so that no page or task has to think of leaving them out."""

    def get_queryset(self) -> models.QuerySet["Order"]:
        return super().get_queryset().filter(erased_at=None)


class Order(LabScoped):
    """One case. Names and notes are patient data: shown on pages, never in logs, queue rows or `__str__`.

    A removed case leaves its row, emptied: `erased_at` says so to Align's list, to the reconciliation and to the lab's
    own system. `objects` does not give it out; `with_erased` does."""

    pairing_path = "pairing_id"

    pairing = models.ForeignKey(Pairing, on_delete=models.PROTECT, related_name="orders")
    order_id = models.CharField(max_length=64)
    rx_id = models.CharField(max_length=64, blank=True)
    order_code = models.CharField(max_length=64, blank=True)
    patient_first = models.CharField(max_length=300, blank=True)
    patient_last = models.CharField(max_length=300, blank=True)
    chart_number = models.CharField(max_length=120, blank=True)
    doctor = models.CharField(max_length=300, blank=True)
    doctor_license = models.CharField(max_length=120, blank=True)
    practice = models.CharField(max_length=300, blank=True)
    practice_address = models.CharField(max_length=500, blank=True)
    procedure = models.CharField(max_length=200, blank=True)
    case_type = models.CharField(max_length=200, blank=True)
    due_date = models.DateField(null=True, blank=True)
    scanned_at = models.DateTimeField(null=True, blank=True)
    notes = models.TextField(blank=True)
    summary = models.CharField("treatment and material, for lists", max_length=300, blank=True)
    teeth = models.JSONField("ADA numbers, for lists", default=list)
    shade = models.CharField("for lists", max_length=80, blank=True)
    vendor_status = models.CharField(max_length=120, blank=True)
    vendor_updated = models.CharField("Align's own time mark, as it came", max_length=60, blank=True)
    workflow = models.CharField(max_length=12, default=Workflow.NEW)
    waiting_since = models.DateTimeField("waiting for the doctor since", null=True, blank=True)
    problem = models.CharField(
        "reason code of the newest scan that stopped, until it is dismissed", max_length=60, blank=True
    )
    latest_number = models.PositiveIntegerField(default=0)
    thumbnail = models.CharField(max_length=300, blank=True)
    received_at = models.DateTimeField("when the latest revision was seen")
    erased_at = models.DateTimeField("removed at", null=True, blank=True)
    erased_why = models.CharField("why it was removed", max_length=12, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    patient_key, due_key, search_text = keys.patient_key(), keys.due_key(), keys.search_text()

    objects: ClassVar[StandingOrders] = StandingOrders()
    with_erased: ClassVar[models.Manager["Order"]] = AllOrders()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lab", "pairing", "order_id"], name="orders_order_identity"),
        ]
        indexes = [
            models.Index(fields=["lab", "-received_at", "-id"], name="orders_inbox"),
            models.Index(fields=["lab", "workflow", "-received_at", "-id"], name="orders_lane"),
            models.Index(fields=["lab", "rx_id"], name="orders_rx_id"),
            models.Index(fields=["lab", "updated_at", "id"], name="orders_export"),
            models.Index(fields=["lab", "due_key", "id"], name="orders_due"),
            models.Index(fields=["lab", "patient_key", "id"], name="orders_patient"),
            # Of a lab's cases a few hundred are open, and the lanes are about those.
            models.Index(fields=["lab", "due_key", "id"], condition=OPEN, name="orders_open_due"),
            models.Index(fields=["lab", "patient_key", "id"], condition=OPEN, name="orders_open_patient"),
            models.Index(
                fields=["lab", "workflow", "waiting_since", "due_date", "problem", "erased_at"],
                condition=COUNTED,
                name="orders_counted",
            ),
        ]

    def __str__(self) -> str:
        return f"order {self.order_id}"

    @property
    def patient(self) -> str:
        """ "Last, First", as every lab knows it from MyiTero."""
        return ", ".join(part for part in (self.patient_last, self.patient_first) if part)


class Revision(LabScoped):
    """One appearance of an order with a new status or new files; its zip is never overwritten."""

    pairing_path = "order__pairing_id"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    version_key = models.CharField(max_length=64)
    cause = models.CharField(max_length=20)
    vendor_status = models.CharField(max_length=120, blank=True)
    rx = models.JSONField("the Rx as Align gave it, read", default=dict)
    state = models.CharField(max_length=16, default=RevisionState.SEEN)
    wants = models.CharField(max_length=12, default=Wants.FULL)
    reason = models.CharField(max_length=60, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    own_failures = models.PositiveIntegerField("failures that were not an outage's", default=0)
    next_due = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    archive = models.CharField("name in the scan store", max_length=300, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(null=True, blank=True)
    expected_size = models.BigIntegerField(null=True, blank=True)
    checked_at = models.DateTimeField("the stored zip was last hashed and sound", null=True, blank=True)
    pieces = models.BinaryField("SHA-256 of each 4 MiB of the zip, once it was seen to be sound", default=b"")
    seen_at = models.DateTimeField(auto_now_add=True)
    stored_at = models.DateTimeField(null=True, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager["Revision"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lab", "order", "version_key"], name="orders_revision_version"),
            models.UniqueConstraint(fields=["lab", "order", "number"], name="orders_revision_number"),
        ]
        indexes = [
            models.Index(
                fields=["next_due"],
                condition=Q(state__in=["seen", "fetching", "retry", "stored", "erased"]),
                name="orders_revision_unfinished",
            ),
            models.Index(
                Coalesce("checked_at", "stored_at", "seen_at"),
                condition=Q(state__in=["stored", "ready"]),
                name="orders_revision_last_sound",
            ),
        ]
        ordering = ["number"]

    def __str__(self) -> str:
        return f"revision {self.number} of {self.order_id}"

    @property
    def has_files(self) -> bool:
        return self.state in HAS_FILES


class ScanFile(LabScoped):
    """One member of a revision's zip, served out of it. Its name is a label, never a path."""

    pairing_path = "revision__order__pairing_id"

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="files")
    member = models.PositiveIntegerField("place in the zip's directory")
    name = models.CharField(max_length=400)
    role = models.CharField(max_length=20)
    size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    triangles = models.PositiveIntegerField(null=True, blank=True)
    box_mm = models.JSONField("size in mm: [x, y, z]", null=True, blank=True)
    preview = models.CharField("name in the scan store", max_length=300, blank=True)
    problem = models.CharField(max_length=60, blank=True)

    objects: ClassVar[models.Manager["ScanFile"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lab", "revision", "member"], name="orders_scanfile_member")]
        ordering = ["member"]

    def __str__(self) -> str:
        return f"{self.role} file {self.pk}"


class Restoration(LabScoped):
    """One tooth of the prescription. Teeth are ADA (universal) numbers, as in Align's files."""

    pairing_path = "order__pairing_id"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="restorations")
    tooth = models.PositiveSmallIntegerField(null=True, blank=True)
    treatment = models.CharField(max_length=200, blank=True)
    material = models.CharField(max_length=200, blank=True)
    shade_system = models.CharField(max_length=80, blank=True)
    incisal = models.CharField(max_length=40, blank=True)
    body = models.CharField(max_length=40, blank=True)
    gingival = models.CharField(max_length=40, blank=True)
    details = models.JSONField("what only the metadata file says", default=dict)

    objects: ClassVar[models.Manager["Restoration"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        ordering = ["tooth"]

    def __str__(self) -> str:
        return f"restoration {self.pk}"


class TimelineEvent(LabScoped):
    """What happened to a case, in order; `kind` is a code, `facts` hold numbers, codes, and a person's own note."""

    pairing_path = "order__pairing_id"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="timeline")
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, null=True, related_name="+")
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    objects: ClassVar[models.Manager["TimelineEvent"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        indexes = [models.Index(fields=["lab", "order", "-at"], name="orders_timeline_order")]
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return self.kind


class SeenBy(LabScoped):
    """A person has opened a case as it stands with this revision: no "new" mark for them."""

    pairing_path = "order__pairing_id"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="seen_by")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()

    objects: ClassVar[models.Manager["SeenBy"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lab", "order", "user"], name="orders_seenby_person")]

    def __str__(self) -> str:
        return str(self.pk)


class EventHead(LabScoped):
    """The last sequence number given out in a lab; its row lock makes the sequence gap-free."""

    last = models.BigIntegerField(default=0)

    objects: ClassVar[models.Manager["EventHead"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lab"], name="orders_eventhead_lab")]

    def __str__(self) -> str:
        return str(self.last)


class Event(LabScoped):
    """The outbox: a row for each revision stored, written in the same transaction as STORED; no patient data."""

    pairing_path = "order__pairing_id"

    seq = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+")
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Event"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lab", "seq"], name="orders_event_seq"),
            models.UniqueConstraint(fields=["lab", "revision", "kind"], name="orders_event_once"),
        ]
        ordering = ["seq"]

    def __str__(self) -> str:
        return f"{self.kind} {self.seq}"
