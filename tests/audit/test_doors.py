"""Every way in leaves its entry, with the one who came that way; and no entry names a patient."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from connector.lms.services import make_key, revoke_key
from connector.orders.models import Order
from labportal.audit.models import Entry
from labportal.labs.models import Role, User
from labportal.labs.services import add_member
from labportal.labs.tenancy import in_lab
from tests.audit.conftest import Since
from tests.cast import PASSWORD, Cast
from tests.isolation.world import World

SignedIn = Callable[[User], Client]


def acts(entries: list[Entry]) -> list[str]:
    """Without the log-ins of the tests' own clients."""
    return [entry.action for entry in entries if not entry.action.startswith("log_in.")]


LOOKS = {
    "/?lane=all": "inbox.viewed",
    "/cases/{order_id}": "case.viewed",
    "/cases/{order_id}/return": "case.viewed",
    "/cases/{order_id}/thumbnail": "case.thumbnail_viewed",
    "/cases/{order_id}/files/{file_id}/preview": "case.scan_viewed",
    "/cases/{order_id}/files/{picture_id}/picture": "case.pictures_viewed",
    "/cases/{order_id}/revisions/{number}/zip": "case.downloaded",
    "/cases/{order_id}/files/{file_id}": "case.downloaded",
    "/attention/": "attention.viewed",
    "/connections/{pairing_id}/reconciliation": "reconciliation.viewed",
}


def path(address: str, world: World) -> str:
    return address.format(**world.ids(), picture_id=world.picture.pk)


@pytest.mark.parametrize("address", LOOKS)
def test_who_looks_at_patient_data_is_recorded(
    address: str, cast: Cast, world: World, since: Since, client_of: SignedIn
) -> None:
    client = client_of(cast.theo)
    before = len(since(cast.lab_a.pk))
    response = client.get(path(address, world))
    b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]  # of a streamed answer
    response.close()
    entries = since(cast.lab_a.pk)[before:]
    assert acts(entries) == [LOOKS[address]]
    assert (entries[0].actor_kind, entries[0].actor_id, entries[0].ip) == ("person", cast.theo.pk, "127.0.0.1")
    if "{order_id}" in address:
        assert entries[0].object_id == str(world.order.pk)


def test_a_search_is_recorded(cast: Cast, world: World, since: Since, client_of: SignedIn) -> None:
    client = client_of(cast.theo)
    for field, act in (("/find/", "find.searched"), ("/search", "inbox.viewed")):
        before = len(since(cast.lab_a.pk))
        client.post(field, {"q": "QQalphaQQ"}, follow=True)
        (entry,) = since(cast.lab_a.pk)[before:]
        assert entry.action == act
        assert "QQ" not in repr(vars(entry))


def test_a_list_that_keeps_itself_fresh_is_recorded_once_an_hour(
    cast: Cast, world: World, since: Since, client_of: SignedIn
) -> None:
    client = client_of(cast.theo)
    before = len(since(cast.lab_a.pk))
    for address in ("/?lane=all", "/?lane=all", "/?lane=done", "/?lane=all"):
        client.get(address, headers={"HX-Request": "true"})
    assert acts(since(cast.lab_a.pk)[before:]) == ["inbox.refreshed", "inbox.refreshed"]


def test_another_labs_case_is_recorded_as_refused_in_the_visitors_own_chain(
    cast: Cast, world: World, since: Since, client_of: SignedIn
) -> None:
    client, before = client_of(cast.bruno), len(since(cast.lab_a.pk))
    assert client.get(f"/cases/{world.order.pk}").status_code == 404
    entry = since(cast.lab_b.pk)[-1]
    assert (entry.action, entry.actor_id) == ("access.refused", cast.bruno.pk)
    assert entry.details == {"route": "case", "method": "GET", "status": 404, "asked": str(world.order.pk)}
    assert len(since(cast.lab_a.pk)) == before


def test_what_a_role_may_not_do_is_recorded_as_refused(
    cast: Cast, world: World, since: Since, client_of: SignedIn
) -> None:
    client_of(cast.vera).post(f"/cases/{world.order.pk}/workflow", {"workflow": "done"})
    entry = since(cast.lab_a.pk)[-1]
    assert (entry.action, entry.details["status"], entry.actor_id) == ("access.refused", 403, cast.vera.pk)


def test_a_stranger_fills_no_chain(cast: Cast, world: World, since: Since) -> None:
    before = len(since(None)), len(since(cast.lab_a.pk))
    Client().get(f"/cases/{world.order.pk}")
    Client().get("/api/v1/orders")
    assert (len(since(None)), len(since(cast.lab_a.pk))) == before


@pytest.mark.parametrize(
    ("address", "action"),
    [
        ("orders", "export.listed"),
        ("orders/{order_id}", "export.order_read"),
        ("orders/{order_id}/revisions/{number}/zip", "case.exported"),
        ("orders/{order_id}/files/{file_id}", "case.exported"),
    ],
)
def test_a_key_that_takes_orders_is_recorded(address: str, action: str, cast: Cast, world: World, since: Since) -> None:
    key, text = make_key(lab=cast.lab_a, name="LMS", by=cast.anna)
    answer = Client().get(path(f"/api/v1/{address}", world), headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 200
    answer.close()
    entry = since(cast.lab_a.pk)[-1]
    assert (entry.action, entry.actor_kind, entry.actor_id, entry.actor_code) == (action, "key", key.pk, key.prefix)


def test_a_foreign_key_is_refused_in_its_own_labs_chain(cast: Cast, world: World, since: Since) -> None:
    _, text = make_key(lab=cast.lab_b, name="LMS", by=None)
    Client().get(f"/api/v1/orders/{world.order.pk}", headers={"Authorization": f"Bearer {text}"})
    assert (since(cast.lab_b.pk)[-1].action, since(cast.lab_b.pk)[-1].actor_kind) == ("access.refused", "key")


def test_keys_and_members_are_recorded(cast: Cast, since: Since) -> None:
    key, _ = make_key(lab=cast.lab_a, name="LMS", by=cast.anna)
    revoke_key(key=key)
    revoke_key(key=key)
    for role in (Role.TECHNICIAN, Role.VIEWER, Role.VIEWER):
        add_member(lab=cast.lab_a, user=cast.vera, role=role)
    entries = since(cast.lab_a.pk)
    assert acts(entries) == ["key.made", "key.revoked", "member.changed", "member.changed"]
    assert [entry.details["role"] for entry in entries[2:]] == ["technician", "viewer"]
    assert entries[2].details["person"] == str(cast.vera.pk)


def log_in(password: str, email: str = "theo@example.com") -> Any:
    client = Client(REMOTE_ADDR="203.0.113.7")
    return client, client.post("/accounts/login/", {"login": email, "password": password})


def test_log_in_and_log_out_stand_in_the_labs_chain_and_the_installations(cast: Cast, since: Since) -> None:
    client, _ = log_in(PASSWORD)
    client.post("/accounts/logout/")
    for chain in (cast.lab_a.pk, None):
        entries = since(chain)
        assert [entry.action for entry in entries] == ["log_in.done", "log_in.ended"]
        assert {(entry.object_id, entry.ip) for entry in entries} == {(str(cast.theo.pk), "203.0.113.7")}
    assert since(cast.lab_b.pk) == []


@pytest.mark.parametrize("email", ["theo@example.com", "nobody@example.com"])
def test_a_failed_log_in_is_one_entry_without_what_was_typed(cast: Cast, since: Since, email: str) -> None:
    log_in("wrong password", email)
    (entry,) = since(None)
    assert (entry.action, entry.actor_kind, entry.ip) == ("log_in.failed", "visitor", "203.0.113.7")
    assert "wrong" not in repr(vars(entry))
    assert "@" not in repr(vars(entry))
    assert since(cast.lab_a.pk) == []


def test_what_the_operator_changes_stands_in_both_chains(cast: Cast, since: Since, client_of: SignedIn) -> None:
    client = client_of(cast.olga)
    before = len(since(cast.lab_a.pk)), len(since(None))
    page = f"/admin/labs/lab/{cast.lab_a.pk}/change/"
    form = client.get(page).context["adminform"].form
    fields = {name: form[name].value() for name in form.fields}
    inline = {f"members-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL")}
    assert client.post(page, {**fields, **inline}).status_code == 302
    for chain, place in ((cast.lab_a.pk, 0), (None, 1)):
        entry = since(chain)[before[place] :][-1]
        assert (entry.action, entry.object_id) == ("admin.changed", str(cast.lab_a.pk))
        assert (entry.actor_kind, entry.actor_id) == ("operator", cast.olga.pk)


def test_verify_audit_says_that_all_is_whole(cast: Cast, since: Since) -> None:
    out = io.StringIO()
    call_command("verify_audit", stdout=out)
    assert "all whole" in out.getvalue()


def test_no_entry_names_a_patient_a_doctor_or_a_search(
    cast: Cast, world: World, since: Since, client_of: SignedIn
) -> None:
    """One word of plain letters could be a code: nothing but the call sites keeps it out."""
    texts = ("patient_last", "patient_first", "doctor", "practice", "notes", "chart_number")
    with in_lab(cast.lab_a.pk):
        Order.objects.of(cast.lab_a).update(**dict.fromkeys(texts, "ZZCANARY"))
    client, before = client_of(cast.anna), len(since(cast.lab_a.pk))
    for address in LOOKS:
        client.get(path(address, world)).close()
    for field in ("/search", "/find/"):
        assert "ZZCANARY" in client.post(field, {"q": "ZZCANARY"}, follow=True).content.decode()
    client.post("/find/ask", {"q": "ZZCANARY"})
    client.post(f"/cases/{world.order.pk}/workflow", {"workflow": "done"})
    client.post(f"/cases/{world.order.pk}/return", {"reason": "bite", "comment": "ZZCANARY"})
    entries = since(cast.lab_a.pk)[before:]
    assert len(entries) > len(LOOKS)
    assert [entry.action for entry in entries if "ZZCANARY" in repr(vars(entry))] == []
