"""The operator's view of returns: which case, how far, and why not. The words to the doctor are the lab's alone."""

from django.contrib import admin

from connector.pairing.words import reason_words
from connector.returns.models import Reason, Return, ReturnState
from labportal.labs.read_only import ReadOnlyAdmin, choice_filter, words


@admin.register(Return)
class ReturnAdmin(ReadOnlyAdmin[Return]):
    list_display = ("order_number", "lab", "state_words", "why", "problem_words", "attempts", "created_at", "sent_at")
    list_select_related = ("lab", "order")
    list_filter = (choice_filter("state", ReturnState), "lab")
    search_fields = ("order__order_id",)
    fields = (
        "order_number", "revision_number", "lab", "state_words", "why", "problem_words", "attempts", "next_due",
        "created_at", "sent_at",
    )  # fmt: skip

    @admin.display(description="order", ordering="order__order_id")
    def order_number(self, returned: Return) -> str:
        return returned.order.order_id

    @admin.display(description="revision")
    def revision_number(self, returned: Return) -> int:
        return returned.revision.number

    @admin.display(description="state", ordering="state")
    def state_words(self, returned: Return) -> str:
        return returned.state_label

    @admin.display(description="reason")
    def why(self, returned: Return) -> str:
        return words(Reason, returned.reason)

    @admin.display(description="problem")
    def problem_words(self, returned: Return) -> str:
        return reason_words(returned.problem) or "none"
