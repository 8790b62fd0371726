"""The operator's view of cases: which, whose, where they stand and why. No patient, doctor, note or file name."""

from django.contrib import admin

from connector.orders.case import explain
from connector.orders.models import Order, Revision, RevisionState, ScanFile, Workflow
from labportal.labs.read_only import ReadOnlyAdmin, choice_filter, words


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin[Order]):
    list_display = ("order_id", "lab", "pairing", "vendor_status", "workflow_words", "problem_words", "received_at")
    list_select_related = ("lab", "pairing")
    list_filter = (choice_filter("workflow", Workflow), "lab")
    search_fields = ("order_id",)
    ordering = ("-received_at", "-pk")
    fields = (
        "order_id", "lab", "pairing", "vendor_status", "vendor_updated", "workflow_words", "problem_words",
        "latest_number", "waiting_since", "received_at", "created_at", "updated_at",
    )  # fmt: skip

    @admin.display(description="stands at")
    def workflow_words(self, order: Order) -> str:
        return words(Workflow, order.workflow)

    @admin.display(description="problem")
    def problem_words(self, order: Order) -> str:
        return explain(order.problem) or "none"


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin[Revision]):
    list_display = ("order_number", "number", "lab", "state_words", "reason_words", "attempts", "size", "seen_at")
    list_select_related = ("lab", "order")
    list_filter = (choice_filter("state", RevisionState), "lab")
    search_fields = ("order__order_id",)
    ordering = ("-seen_at", "-pk")
    fields = (
        "order_number", "number", "lab", "cause", "vendor_status", "state_words", "wants", "reason_words", "attempts",
        "next_due", "lease_until", "size", "expected_size", "seen_at", "stored_at", "ready_at",
    )  # fmt: skip

    @admin.display(description="order", ordering="order__order_id")
    def order_number(self, revision: Revision) -> str:
        return revision.order.order_id

    @admin.display(description="state", ordering="state")
    def state_words(self, revision: Revision) -> str:
        return words(RevisionState, revision.state)

    @admin.display(description="reason")
    def reason_words(self, revision: Revision) -> str:
        return explain(revision.reason) or "none"


@admin.register(ScanFile)
class ScanFileAdmin(ReadOnlyAdmin[ScanFile]):
    """A file's name comes from the practice and may hold the patient's, so the place in the zip stands for it."""

    list_display = ("order_number", "revision_number", "member", "role", "lab", "size", "triangles", "problem_words")
    list_select_related = ("lab", "revision__order")
    list_filter = ("role", "lab")
    search_fields = ("revision__order__order_id",)
    ordering = ("-revision__seen_at", "member")
    fields = ("order_number", "revision_number", "member", "role", "lab", "size", "triangles", "problem_words")

    @admin.display(description="order", ordering="revision__order__order_id")
    def order_number(self, file: ScanFile) -> str:
        return file.revision.order.order_id

    @admin.display(description="revision")
    def revision_number(self, file: ScanFile) -> int:
        return file.revision.number

    @admin.display(description="problem")
    def problem_words(self, file: ScanFile) -> str:
        return explain(file.problem) or "none"
