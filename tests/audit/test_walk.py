"""Every address of the portal is asked for, with a patient of a name like no other: an answer that shows the patient
leaves an entry, also on a page that is made tomorrow."""

import hashlib
import io
import logging
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connector.break_glass.services import begin
from connector.intake.bookkeeping import Reconciliation
from connector.lms.services import make_key
from connector.orders.models import Order, Revision, RevisionState
from connector.returns.models import Return
from labportal.audit.models import Entry
from labportal.labs.models import User
from labportal.labs.tenancy import in_lab
from tests.audit.conftest import Since
from tests.cast import Cast
from tests.isolation.routes import ROUTES
from tests.isolation.test_every_url import NAMES, ids_of
from tests.isolation.world import World, store_files
from tests.mails import Mails
from tests.orders.make import make_order

PATIENT = "ZZPATIENTZZ"
# What an address must be asked for to show patients at all.
ASKED = {"inbox": "?lane=all", "data": "?days=365"}
# What shows the patient today: were one not among them, the walk would look at empty pages.
SHOWS = {
    "inbox", "case", "case_return", "thumbnail", "revision_zip", "file", "preview", "picture", "attention", "find",
    "data", "reconciliation", "lms:orders", "lms:order", "lms:zip", "lms:file", "break_glass_cases", "break_glass_case",
}  # fmt: skip
# What is shown again and again of itself is recorded once in a while (record_once), and nothing else is.
ONCE = {
    "thumbnail": "comes by the dozen with each list: once a day and revision",
    "preview": "comes with the case: once an hour and revision",
    "picture": "comes with the case: once an hour and revision",
    "inbox, as a part": "the list keeps itself fresh every few seconds: once an hour",
    "reconciliation, as a part": "the result is asked for until it is there: once in ten minutes",
}
PART = ", as a part"


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.CRITICAL):
        yield


@pytest.fixture
def patient(world: World, cast: Cast) -> World:
    """The patient's name is in each text and file of one case, and in those of another one, which has stopped."""
    texts: dict[str, Any] = dict.fromkeys(("patient_last", "patient_first", "chart_number", "notes"), PATIENT)
    lab, long_ago = cast.lab_a, timezone.now() - timedelta(days=730)
    with in_lab(lab.pk):
        Order.objects.of(lab).filter(pk=world.order.pk).update(received_at=long_ago, **texts)
        Return.objects.of(lab).update(comment=PATIENT)
        store_files(lab, Order.objects.of(lab).get(), world.revision, PATIENT)
        sha256 = hashlib.sha256(PATIENT.encode()).hexdigest()
        type(world.scan).objects.of(lab).update(size=len(PATIENT), sha256=sha256)
    stopped = make_order(lab, world.pairing, "114582299", problem="truncated", **texts)
    with in_lab(lab.pk):
        Revision.objects.of(lab).filter(order=stopped).update(state=RevisionState.DEAD, reason="truncated")
        Reconciliation.objects.create(
            lab=lab, pairing=world.pairing, ended_at=timezone.now(), known=1, differing=[["114582299", "not_found"]]
        )
    return world


def shows(answer: Any) -> bool:
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    answer.close()
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            body += b"".join(archive.read(name) for name in archive.namelist())
    return PATIENT.encode() in body


class Walk:
    """Asks as one visitor, and keeps what showed the patient, and what of that left no entry of this visitor's."""

    def __init__(self, entries: Callable[[], list[Entry]]) -> None:
        self.shown: set[str] = set()
        self.silent: set[str] = set()
        self._entries = entries

    def ask(
        self, what: str, client: Client, address: str, actor: tuple[str, object], method: str = "GET", **headers: str
    ) -> None:
        before = len(self._entries())
        answer: Any = client.generic(method, address, headers=headers)
        if not shows(answer):
            return
        self.shown.add(what)
        made = self._entries()[before:]
        if not any((entry.actor_kind, entry.actor_id) == actor for entry in made if entry.action != "access.refused"):
            self.silent.add(what)


@pytest.fixture
def walk(patient: World, cast: Cast, since: Since, client_of: Callable[[User], Client], mails: Mails) -> Any:
    """Asks for every address: as the lab's owner, as its system with a key, as the operator with broken glass."""
    key, text = make_key(lab=cast.lab_a, name="LMS", by=cast.anna)
    system, anna, olga = Client(), client_of(cast.anna), client_of(cast.olga)
    look = begin(lab=cast.lab_a, by=cast.olga, reason="Anna asked: ticket 4711", minutes=15)
    ids = ids_of(patient)

    def whole() -> Walk:
        done = Walk(lambda: since(cast.lab_a.pk))
        for name in sorted(NAMES):
            route = ROUTES[name]
            address = reverse(name, kwargs={taken: ids[route.uses.get(taken, taken)] for taken in route.takes})
            address += ASKED.get(name, "")
            if name == "find":  # the words are sealed in the session, and the address names them
                address = anna.post(address, {"q": PATIENT})["Location"]
            if name.startswith("lms:"):
                cache.clear()  # the key's limit of requests
                done.ask(name, system, address, ("key", key.pk), Authorization=f"Bearer {text}")
            else:
                owner = ("person", cast.anna.pk)
                done.ask(name, anna, address, owner)
                done.ask(name + PART, anna, address, owner, **{"HX-Request": "true"})
        for name, given in (("break_glass_cases", {}), ("break_glass_case", {"order_id": patient.order.pk})):
            address = reverse(name, kwargs={"look_id": look.pk, **given})
            done.ask(name, olga, address, ("operator", cast.olga.pk))
        return done

    return whole


def test_what_shows_a_patient_leaves_an_entry_of_the_one_who_looked(walk: Callable[[], Walk]) -> None:
    first = walk()
    assert {name for name in first.silent if name not in ONCE and name.removesuffix(PART) not in ONCE} == set()
    assert SHOWS - first.shown == set(), "it shows no patient any more: is the walk right?"


def test_only_what_comes_of_itself_is_not_recorded_a_second_time(walk: Callable[[], Walk]) -> None:
    walk()
    again = walk().silent
    assert {name for name in again if name not in ONCE and name.removesuffix(PART) not in ONCE} == set()
    assert set(ONCE) - again == set(), "it is recorded each time: no exception is needed"


def test_a_form_that_comes_back_with_what_is_wrong_is_a_look_as_well(
    patient: World, cast: Cast, since: Since, client_of: Callable[[User], Client]
) -> None:
    """Each is sent empty."""
    done, ids = Walk(lambda: since(cast.lab_a.pk)), ids_of(patient)
    for name in sorted(NAMES):
        route = ROUTES[name]
        address = reverse(name, kwargs={taken: ids[route.uses.get(taken, taken)] for taken in route.takes})
        done.ask(name, client_of(cast.anna), address, ("person", cast.anna.pk), method="POST")
    assert done.silent == set()
    assert "case_return" in done.shown, "it shows no patient any more: is the walk right?"
