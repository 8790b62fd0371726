"""Returns that Align refused or never heard of: the doctor does not know of them, so "Needs attention" shows them."""

from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from connector.intake.dismissing import clean_note
from connector.orders.history import record
from connector.orders.models import Order
from connector.orders.trail import note as audit
from connector.orders.words import revision_label
from connector.pairing.words import reason_words
from connector.returns.models import Return, ReturnState
from labportal.labs.models import Lab, User

SHOWN = 200
# While a person reads it, nothing goes on by itself, which these codes' own words promise.
ENDED = {
    "not_paired": "The connection to Align ended before Align was told, so the doctor was not asked. Connect the "
    "account again, then return the case again.",
    "conflict": "Align does not take this case back in its present status, so the doctor was not asked for a re-scan. "
    "Ask the practice, or return it again later.",
    "truncated": "Align's answer was cut off each time. Return the case again.",
    "bad_answer": "Align's answer could not be read, each time. Return the case again. If it stays so, tell the "
    "operator.",
}


def refused(lab: Lab) -> QuerySet[Return]:
    """Refusals that still count: nobody dismissed them, the case was not returned again, and no newer scan is here."""
    later = Return.objects.filter(
        lab_id=OuterRef("lab_id"), order=OuterRef("order"), created_at__gt=OuterRef("created_at")
    )
    rows = Return.objects.of(lab).filter(state=ReturnState.REFUSED, dismissed_at=None)
    standing = rows.filter(order__erased_at=None, order__waiting_since=None, order__latest_number=F("revision__number"))
    return standing.exclude(Exists(later))


def refused_count(lab: Lab) -> int:
    return refused(lab).count()


def refused_items(lab: Lab) -> list[dict[str, Any]]:
    """The newest, as "Needs attention" shows them."""
    rows = refused(lab).select_related("order", "order__pairing", "revision").order_by("-created_at", "-pk")
    return [_item(row) for row in rows[:SHOWN]]


def _item(refusal: Return) -> dict[str, Any]:
    order, revision = refusal.order, refusal.revision
    return {
        "key": refusal.pk,
        "patient": order.patient or "No name",
        "order_id": order.order_id,
        "connection": order.pairing.account_name,
        "practice": order.practice,
        "url": reverse("case", args=[order.pk]),
        "scan": revision_label(revision.number, revision.cause),
        "state": refusal.state_label,
        "tone": "bad",
        "reason": ENDED.get(refusal.problem) or reason_words(refusal.problem) or "The reason is not known.",
        "attempts": "Tried once" if refusal.attempts == 1 else f"Tried {refusal.attempts} times",
        "next": "No more tries by itself",
        "link_url": reverse("case_return", args=[order.pk]),
        "link_label": _("Return again"),
        "dismiss_url": reverse("return_dismiss", args=[order.pk]),
    }


def dismiss(*, order: Order, note: str, user: User) -> bool:
    """Take the case's refused return off the list; False when it stands there no longer, or the note is empty."""
    note = clean_note(note)
    refusal = refused(order.lab).filter(order=order).first() if note else None
    if refusal is None:
        return False
    mine = Return.objects.of(order.lab_id).filter(pk=refusal.pk, dismissed_at=None)
    if not mine.update(dismissed_at=timezone.now()):
        return False  # a colleague was quicker
    record(order, "return_dismissed", revision=refusal.revision, by=user, note=note)
    audit(order, "return.dismissed", revision=refusal.revision)
    return True
