"""Find my scan: first the lab's own cases, then, for an RxID, every connection of the lab, one after the other."""

import re
import time
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone

from connector.intake.asking import Answer, ask
from connector.orders.models import Order, Revision
from connector.orders.words import moment_words, status_words
from connector.pairing.models import Pairing, State
from labportal.labs.models import Lab
from labportal.labs.tenancy import in_lab

SHOWN = 20
ASKED_AT_MOST = 10
ENOUGH_SECONDS = 45.0  # then no further connection is asked; the browser's own wait ends at about twice that
# An RxID is one word with a figure in it; Align does not publish its exact form.
RX_ID = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9._:-]{5,63}")


@dataclass(frozen=True)
class AnswerOf:
    """One connection's answer."""

    pairing: Pairing
    answer: Answer


def own_cases(*, lab: Lab, q: str) -> QuerySet[Order]:
    """The lab's cases with this RxID or order id; when there is none, those of a patient with this name."""
    orders = Order.objects.of(lab).select_related("pairing").order_by("-received_at", "-pk")
    if not q:
        return orders.none()
    exact = orders.filter(Q(rx_id__iexact=q) | Q(order_id__iexact=q))
    if exact.exists():
        return exact
    for word in q.split()[:8]:
        orders = orders.filter(
            Q(patient_last__icontains=word) | Q(patient_first__icontains=word) | Q(order_id__icontains=word)
        )
    return orders


def asks_align(q: str, cases: list[Order]) -> bool:
    """Whether Align can say more: an order id of a case that is here is no RxID."""
    known_by_order_id = any(order.order_id.casefold() == q.casefold() for order in cases)
    return RX_ID.fullmatch(q) is not None and not known_by_order_id


def connections(*, lab: Lab) -> QuerySet[Pairing]:
    """Those that may be asked, and those that could be if somebody signed in."""
    wanted = (State.ACTIVE, State.FORBIDDEN, State.NEEDS_PAIRING)
    return Pairing.objects.of(lab).filter(state__in=wanted).order_by("account_name", "pk")


def ask_all(*, lab: Lab, rx_id: str, may_record: bool) -> list[AnswerOf]:
    """Every connection's answer. Bounded: ASKED_AT_MOST connections, each by the client's own time limits, and none
    after ENOUGH_SECONDS. No transaction is open."""
    with in_lab(lab.pk):
        pairings = list(connections(lab=lab)[:ASKED_AT_MOST])
        homes = {o.pairing_id: o.pairing for o in own_cases(lab=lab, q=rx_id) if o.rx_id.casefold() == rx_id.casefold()}
    end, answers = time.monotonic() + ENOUGH_SECONDS, []
    for pairing in pairings:
        if time.monotonic() > end:
            late = Answer("not_asked", "Not asked", "warn", "Align was too slow. Ask again in a few minutes.")
            answers.append(AnswerOf(pairing, late))
            continue
        answer = ask(pairing=pairing, rx_id=rx_id, may_record=may_record)
        answers.append(AnswerOf(pairing, _known_elsewhere(answer, pairing, homes)))
    return answers


def _known_elsewhere(answer: Answer, pairing: Pairing, homes: dict[Any, Pairing]) -> Answer:
    others = [home.account_name for home in homes.values() if home.pk != pairing.pk]
    if answer.found != "unknown" or not others:
        return answer
    return Answer("elsewhere", "Other connection", "", f"This scan belongs to your connection “{others[0]}”, not here.")


def own_rows(cases: QuerySet[Order], *, lab: Lab) -> list[dict[str, Any]]:
    """Up to SHOWN cases, in words."""
    latest = Revision.objects.filter(lab_id=OuterRef("lab_id"), order=OuterRef("pk"), number=OuterRef("latest_number"))
    now, zone = timezone.now(), ZoneInfo(lab.time_zone)
    rows = []
    for order in cases.annotate(state=Subquery(latest.values("state")[:1]))[:SHOWN]:
        state: Any = vars(order)["state"]  # the annotation above, which the type does not know
        facts = {
            "state": state or "", "problem": order.problem, "waiting_since": order.waiting_since,
            "workflow": order.workflow, "vendor_status": order.vendor_status,
        }  # fmt: skip
        status, tone = status_words(facts, now)
        rows.append({
            "url": reverse("case", args=[order.pk]), "patient": order.patient or "No name", "order_id": order.order_id,
            "practice": order.practice, "doctor": order.doctor, "status": status, "tone": tone,
            "connection": order.pairing.account_name, "received": moment_words(order.received_at, now, zone),
        })  # fmt: skip
    return rows


def answer_rows(answers: list[AnswerOf]) -> list[dict[str, Any]]:
    return [
        {
            "connection": one.pairing.account_name,
            "state": one.answer.state,
            "tone": one.answer.tone,
            "text": one.answer.text,
            "case_url": reverse("case", args=[one.answer.order_id]) if one.answer.order_id else "",
            "connections_url": reverse("connections") if one.answer.found == "sign_in" else "",
        }
        for one in answers
    ]
