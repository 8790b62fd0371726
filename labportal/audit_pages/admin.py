"""The installation's chain, for the operator to read: failed log-ins, commands, and what operators did."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from labportal.audit.models import INSTALLATION, Entry
from labportal.audit_pages.listing import actor, people
from labportal.audit_pages.words import in_words
from labportal.labs.read_only import ReadOnlyAdmin


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin[Entry]):
    """A lab's own chain is the lab's to read."""

    list_display = ("seq", "at", "who", "what", "object_type", "object_id", "ip")
    list_filter = ("at",)
    search_fields = ("action", "object_id", "ip")
    ordering = ("-seq",)
    list_per_page = 100
    fields = ("seq", "at", "who", "what", "action", "object_type", "object_id", "facts", "ip", "previous", "hash")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return Entry.objects.using("operator").filter(chain=INSTALLATION)

    @admin.display(description="who")
    def who(self, entry: Entry) -> str:
        return " · ".join(part for part in actor(entry, people([entry])) if part)

    @admin.display(description="what")
    def what(self, entry: Entry) -> str:
        return in_words(entry.action, entry.details)
