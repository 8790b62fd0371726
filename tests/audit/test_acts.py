"""Every address that changes something is called as the lab's owner: what succeeds leaves the entry that this table
names, and an answer that shows a patient leaves one, too. A new address fails until it is in one of the tables."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from connector.orders.models import Order, Revision, RevisionState
from labportal.labs.models import User
from labportal.labs.tenancy import in_lab
from tests.audit.conftest import Since
from tests.audit.test_doors import acts
from tests.audit.test_walk import PATIENT, shows
from tests.cast import Cast
from tests.isolation.routes import ROUTES
from tests.isolation.test_every_url import expected, ids_of
from tests.isolation.world import World

# The act of each unsafe address, in the lab's chain.
ACTS = {
    "workflow": "case.marked",
    "get_all": "case.files_asked",
    "try_again": "case.tried_again",
    "case_return": "return.asked",
    "return_dismiss": "return.dismissed",
    "download_many": "case.downloaded",
    "attention_try_again": "case.tried_again",
    "attention_try_all": "case.tried_again",
    "attention_dismiss": "case.dismissed",
    "attention_fetch": "scan.asked_for",
    "find_ask": "scan.asked_for",
    "reconciliation_run": "reconciliation.asked",
    "connect": "pairing.refused",  # nobody has set up Align here: refused, and recorded as that
    "choose_account": "pairing.refused",
    "connection_reconnect": "pairing.refused",
    "connection_sync": "pairing.sync_asked",
    "connection_mode": "pairing.fetch_mode_changed",
    "connection_test": "pairing.tested",
    "connection_unpair": "pairing.unpair_asked",
    "audit_check": "audit.checked",
    "retention_policy": "retention.changed",
    "lab_hold": "hold.set",
    "case_hold": "hold.set",
    "case_release": "hold.released",
    "lab_release": "hold.released",
    "patient_data": "patient.searched",
    "patient_export": "case.exported",
    "patient_remove": "patient.removal_asked",
    "invite": "invitation.made",
    "invitation_resend": "invitation.sent_again",
    "invitation_withdraw": "invitation.withdrawn",
    "member": "member.changed",
    "member_suspend": "member.suspended",
    "member_resume": "member.let_in_again",
    "member_remove": "member.removed",
    "lab_settings": "lab.settings_changed",
    "api_key_new": "key.made",
    "api_key_rotate": "key.replaced",
    "api_key_revoke": "key.revoked",
    "sign_in_rules": "lab.sign_in_rules",
    "company_rules": "lab.company_rules",
}
# Unsafe addresses without an entry from this call, and why.
NOT_HERE = {
    "search": "keeps the words and leads to the list, which is recorded when it is shown",
    "find": "as above",
    "audit": "as above",
    "switch_lab": "changes what the session shows: what is looked at then is recorded there",
    "leave_lab": "the only owner can't leave; tests/people/test_leaving.py does it with two",
    "save_company": "asks the company's provider first; tests/signin/test_company.py does it with one",
    "remove_company": "there is none to remove; tests/signin/test_company.py",
    "company_sign_in": "asks which provider stands behind an address, and changes nothing",
    "company_door": "leads to the provider, and changes nothing",
    "healthz": "the process answers",
    "demo_mails": "the demo's mails, not in production",
}
# Log-in's own pages: signing in, passwords, second steps are recorded by signals (tests/audit/test_doors.py).
LOG_IN = ("account_", "mfa_", "usersessions_")

STOPPED = {"state": RevisionState.DEAD, "reason": "truncated"}
# The one scan of the world must be in this state for the call to do something.
REVISION: dict[str, dict[str, Any]] = {
    "get_all": {"state": RevisionState.ASKED_LATER},
    "try_again": STOPPED,
    "attention_try_again": STOPPED,
    "attention_try_all": STOPPED,
    "attention_dismiss": STOPPED,
}
# What is called before: the world comes with a hold on everything, and nobody suspended.
FIRST = {"case_hold": "case_release", "lab_hold": "lab_release", "member_resume": "member_suspend"}
FORMS = {
    "patient_data": {"q": PATIENT},
    "case_hold": {"reason": "asked for by court"},
    "lab_hold": {"reason": "asked for by court"},
    "member": {"role": "technician"},
    "lab_settings": {"name": "Lab A", "time_zone": "Europe/Paris", "tooth_notation": "fdi"},
}


def unsafe() -> list[str]:
    """Every address that lets the owner in by POST."""
    return [name for name in sorted(ROUTES) if expected(name, "POST")[-1] in {"ok", "go"}]


def test_every_address_that_changes_something_stands_in_a_table() -> None:
    told = {name for name in unsafe() if not name.startswith(LOG_IN)}
    assert told - set(ACTS) - set(NOT_HERE) == set(), "a new address: which entry does it leave?"
    assert (set(ACTS) | set(NOT_HERE)) - told == set()
    assert set(ACTS) & set(NOT_HERE) == set()


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.CRITICAL):
        yield


def call(client: Client, name: str, ids: dict[str, str]) -> Any:
    route = ROUTES[name]
    address = reverse(name, kwargs={taken: ids[route.uses.get(taken, taken)] for taken in route.takes})
    return client.post(address, {key: value.format(**ids) for key, value in FORMS.get(name, route.form).items()})


@pytest.mark.parametrize("name", sorted(ACTS))
def test_what_the_owner_does_leaves_its_entry(
    name: str, world: World, cast: Cast, since: Since, client_of: Callable[[User], Client]
) -> None:
    lab, anna, ids = cast.lab_a, client_of(cast.anna), ids_of(world)
    with in_lab(lab.pk):
        Order.objects.of(lab).update(patient_last=PATIENT)
        Revision.objects.of(lab).filter(pk=world.revision.pk).update(**REVISION.get(name, {"number": 1}))
    if name in FIRST:
        call(anna, FIRST[name], ids)
    before = len(since(lab.pk))
    answer = call(anna, name, ids)
    assert answer.status_code in {200, 302}
    showed, entries = shows(answer), since(lab.pk)[before:]
    assert ACTS[name] in acts(entries)
    assert {(entry.actor_kind, entry.actor_id) for entry in entries} == {("person", cast.anna.pk)}
    assert not showed or entries


def test_a_patients_data_out_or_away_says_how_many_and_which(
    world: World, cast: Cast, since: Since, client_of: Callable[[User], Client]
) -> None:
    """From the search to the last byte: each step its entry, and none with the name."""
    anna, case = client_of(cast.anna), {"order": str(world.order.pk)}
    with in_lab(cast.lab_a.pk):
        Order.objects.of(cast.lab_a).update(patient_last=PATIENT)
    before = len(since(cast.lab_a.pk))
    call(anna, "lab_release", ids_of(world))
    call(anna, "case_release", ids_of(world))
    anna.post("/data/patient", {"q": PATIENT})
    anna.post("/data/patient/export", case).close()
    assert shows(anna.post("/data/patient/remove", case))
    anna.post("/data/patient/remove", {**case, "word": "REMOVE"})
    entries = since(cast.lab_a.pk)[before:]
    assert [(entry.action, entry.object_id) for entry in entries[2:]] == [
        ("patient.searched", ""), ("case.exported", case["order"]), ("patient.removal_asked", ""),
        ("case.erased", case["order"]),
    ]  # fmt: skip
    assert (entries[2].details, entries[4].details) == ({"found": 1}, {"count": 1})
    assert {entry.actor_id for entry in entries} == {cast.anna.pk}
    assert PATIENT not in repr([vars(entry) for entry in entries])


def test_a_connection_and_a_return_are_entries_about_themselves(
    world: World, cast: Cast, since: Since, client_of: Callable[[User], Client]
) -> None:
    anna, ids, before = client_of(cast.anna), ids_of(world), len(since(cast.lab_a.pk))
    for name in ("case_return", "connection_mode", "connection_test", "connection_unpair"):
        call(anna, name, ids)
    returned, mode, tested, ended = since(cast.lab_a.pk)[before:]
    assert (returned.action, returned.object_id) == ("return.asked", str(world.order.pk))
    assert returned.details == {"order": world.order.order_id, "reason": "bite", "revision": 1}
    assert {entry.object_id for entry in (mode, tested, ended)} == {str(world.pairing.pk)}
    assert (mode.details["mode"], bool(tested.details["problem"])) == ("on_click", True)
    assert ended.details == {"account": world.pairing.account_id}
