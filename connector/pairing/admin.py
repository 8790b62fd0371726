"""The operator's page of pairings: how each one is, in words, and the three things that help.

Sealed tokens and the hashes of notification addresses are in no list, form, search or filter. A pairing is made by its
lab's owner at Align, so there is no form to add one; it ends by Un Pair, so there is none to delete it.
"""

from collections.abc import Collection

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse

from connector.pairing import services
from connector.pairing.alarm import Alarm, AlarmKind
from connector.pairing.disconnect import begin_unpair
from connector.pairing.health import ago, health
from connector.pairing.models import FetchMode, Pairing, State
from connector.pairing.portal_trouble import portal_trouble
from connector.pairing.words import reason_words
from labportal.labs.read_only import ReadOnlyAdmin, choice_filter, words
from labportal.labs.tenancy import in_lab

LIVE = (State.ACTIVE, State.FORBIDDEN)
CAN_END = (State.ACTIVE, State.FORBIDDEN, State.NEEDS_PAIRING)
# Each one waits for Align for up to a minute, and the page waits for all of them.
TESTED_AT_ONCE = 5


@admin.register(Alarm)
class AlarmAdmin(ReadOnlyAdmin[Alarm]):
    """When which lab's owners were told, and whose mail could not be sent."""

    list_display = ("pairing", "lab", "kind_words", "code", "since", "told_at", "told", "mail_error", "ended_at")
    list_select_related = ("lab", "pairing")
    list_filter = (choice_filter("kind", AlarmKind), "lab")
    fields = ("lab", "pairing", "kind_words", "code", "since", "raised_at", "attempts", "mail_error", "told_at", "told",
              "ended_at")  # fmt: skip

    @admin.display(description="kind", ordering="kind")
    def kind_words(self, alarm: Alarm) -> str:
        return words(AlarmKind, alarm.kind)


@admin.register(Pairing)
class PairingAdmin(ReadOnlyAdmin[Pairing]):
    list_display = ("account", "lab", "region", "state_words", "health_words", "checked", "next_due", "last_error")
    list_select_related = ("lab",)
    list_filter = (choice_filter("state", State), "lab")
    search_fields = ("account_name", "account_id", "lab__name")
    ordering = ("lab__name", "account_name")
    actions = ("test_connection", "sync_now", "unpair")
    fields = (
        "lab", "account_name", "account_id", "region", "state_words", "health_words", "last_error", "reason_at",
        "failures", "fetches", "poll_seconds", "next_due", "paused_until", "polled_at", "succeeded_at", "notified_at",
        "order_at", "refreshed_at", "access_expires_at", "paired_at", "reconnected_at", "paired_by",
    )  # fmt: skip

    @admin.display(description="account", ordering="account_name")
    def account(self, pairing: Pairing) -> str:
        return f"{pairing.account_name} ({pairing.account_id})"

    @admin.display(description="state", ordering="state")
    def state_words(self, pairing: Pairing) -> str:
        return words(State, pairing.state)

    @admin.display(description="health")
    def health_words(self, pairing: Pairing) -> str:
        return health(pairing, trouble=portal_trouble()).sentence

    @admin.display(description="last checked", ordering="polled_at")
    def checked(self, pairing: Pairing) -> str:
        return ago(pairing.polled_at)

    @admin.display(description="last error")
    def last_error(self, pairing: Pairing) -> str:
        return f"{reason_words(pairing.reason)} ({ago(pairing.reason_at)})" if pairing.reason else "none"

    @admin.display(description="fetches by itself")
    def fetches(self, pairing: Pairing) -> str:
        return words(FetchMode, pairing.fetch_mode)

    @admin.action(description="Test the connection", permissions=["view"])
    def test_connection(self, request: HttpRequest, chosen: QuerySet[Pairing]) -> None:
        """Runs outside of any transaction (labportal/labs/middleware.py): a token that this renews is committed at
        once, and no lock but the refresh lock is held while Align answers."""
        pairings = list(chosen)
        if len(pairings) > TESTED_AT_ONCE:
            messages.error(request, f"Choose at most {TESTED_AT_ONCE}: every test waits for Align's answer.")
            return
        for pairing in pairings:
            code = services.check_connection(pairing=pairing)
            self.log_change(request, pairing, f"Tested the connection: {code or 'it works'}.")
            if code:
                messages.error(request, f"{pairing.account_name}: {reason_words(code)}")
            else:
                messages.success(request, f"{pairing.account_name}: Align answers, and accepts our sign-in.")

    @admin.action(description="Sync now", permissions=["view"])
    def sync_now(self, request: HttpRequest, chosen: QuerySet[Pairing]) -> None:
        for pairing in self._those(request, chosen, LIVE, "is not connected, so there is nothing to sync"):
            with in_lab(pairing.lab_id):
                services.sync_now(pairing=pairing)
            self.log_change(request, pairing, "Asked for a sync.")
            messages.success(request, f"{pairing.account_name}: Align is being asked for new cases now.")

    @admin.action(description="Un-pair", permissions=["view"])
    def unpair(self, request: HttpRequest, chosen: QuerySet[Pairing]) -> HttpResponseBase | None:
        """First what stops and what stays; then, confirmed, the end of the pairings."""
        if request.POST.get("confirm") != "yes":
            context = self.admin_site.each_context(request) | {
                "title": "Un-pair", "pairings": [pairing for pairing in chosen if pairing.state in CAN_END],
                "opts": self.model._meta, "checkbox": ACTION_CHECKBOX_NAME,
            }  # fmt: skip
            return TemplateResponse(request, "admin/unpair.html", context)
        for pairing in self._those(request, chosen, CAN_END, "is not connected, so there is nothing to end"):
            with in_lab(pairing.lab_id):
                begin_unpair(pairing=pairing)
            self.log_change(request, pairing, "Asked to un-pair.")
            messages.success(request, f"{pairing.account_name} is being disconnected. Its cases stay with the lab.")
        return None

    def _those(
        self, request: HttpRequest, chosen: QuerySet[Pairing], states: Collection[str], why_not: str
    ) -> list[Pairing]:
        """The chosen pairings in one of `states`; of the others a message says why not."""
        pairings = list(chosen)
        for pairing in pairings:
            if pairing.state not in states:
                messages.warning(request, f"{pairing.account_name} {why_not}.")
        return [pairing for pairing in pairings if pairing.state in states]
