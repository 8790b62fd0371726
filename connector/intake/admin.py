"""The operator's view of intake: every look at Align's list and every notification, with its end."""

from django.contrib import admin

from connector.intake.models import Notification, NotificationState, RunStatus, SyncRun, UnroutedNotification
from connector.pairing.words import reason_words
from labportal.labs.read_only import ReadOnlyAdmin, choice_filter, words


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin[SyncRun]):
    list_display = (
        "started_at", "lab", "pairing", "kind", "status_words", "listed", "new", "malformed", "reason_words",
    )  # fmt: skip
    list_select_related = ("lab", "pairing")
    list_filter = (choice_filter("status", RunStatus), "lab")
    fields = (
        "lab", "pairing", "kind", "status_words", "listed", "new", "malformed", "reason_words", "started_at",
        "ended_at",
    )  # fmt: skip

    @admin.display(description="status", ordering="status")
    def status_words(self, run: SyncRun) -> str:
        return words(RunStatus, run.status)

    @admin.display(description="reason")
    def reason_words(self, run: SyncRun) -> str:
        return reason_words(run.reason) or "none"


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin[Notification]):
    list_display = ("received_at", "lab", "pairing", "rx_id", "state_words", "attempts", "reason_words")
    list_select_related = ("lab", "pairing")
    list_filter = (choice_filter("state", NotificationState), "lab")
    search_fields = ("rx_id",)
    ordering = ("-received_at",)
    fields = ("lab", "pairing", "rx_id", "state_words", "reason_words", "attempts", "received_at", "taken_at")

    @admin.display(description="state", ordering="state")
    def state_words(self, notification: Notification) -> str:
        return words(NotificationState, notification.state)

    @admin.display(description="reason")
    def reason_words(self, notification: Notification) -> str:
        return reason_words(notification.reason) or "none"


@admin.register(UnroutedNotification)
class UnroutedNotificationAdmin(ReadOnlyAdmin[UnroutedNotification]):
    list_display = ("rx_id", "received_at", "asked")
    ordering = ("-received_at",)
    fields = ("rx_id", "received_at", "asked")
