"""The operator's site: closed to everybody else, and even for the operator without a way to what is a lab's own."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import get_resolver, reverse

from connector.orders.models import Order
from labportal.audit.models import INSTALLATION, Entry
from tests.cast import Cast
from tests.isolation.conftest import Worlds
from tests.isolation.test_every_url import walk
from tests.isolation.world import World, fingerprint

ADDRESSES = {name: path for name, path in walk(get_resolver().url_patterns) if name.startswith("admin:")}
# The unnamed ones: Django's catch-all, and its redirect from a row's address to the form.
NAMES = sorted(name for name in ADDRESSES if name.count("/") == 0 and name != "admin:")
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
# What an operator may add, change or delete; all else is looked at.
WRITABLE = {
    "labs.User": {"add", "change"},
    "labs.Lab": {"add", "change"},
    "labs.Membership": {"add", "change", "delete"},
    "account.EmailAddress": {"add", "change", "delete"},
    "lms.ApiKey": {"add", "change"},
    "signin.SignOn": {"change"},
}
LOOKED_AT = {
    "pairing.Pairing", "pairing.Alarm", "orders.Order", "orders.Revision", "orders.ScanFile", "intake.SyncRun",
    "intake.Notification",
    "intake.UnroutedNotification", "returns.Return", "django_q.Failure", "django_q.OrmQ",
    "audit.Entry",
}  # fmt: skip
HIDDEN = {
    "pairing.Pairing": [
        "sealed_tokens__startswith",
        "callback_hash",
        "told_callback_hashes__contains",
        "lab__name__startswith",
    ],
    "orders.Order": ["patient_last__startswith", "notes__contains", "doctor", "pairing__sealed_tokens__startswith"],
    "orders.Revision": ["rx__patient", "order__patient_last__startswith"],
    "orders.ScanFile": ["name__contains", "revision__order__patient_last__startswith"],
    "returns.Return": ["comment__contains", "order__patient_last"],
    "labs.User": ["password__startswith"],
    "lms.ApiKey": ["key_hash__startswith"],
}


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level("CRITICAL"):
        yield


def rows_of(model: type[models.Model]) -> Iterable[models.Model]:
    """All of them; of the audit's thousands the newest of the installation's own chain."""
    rows = model._default_manager.using("operator").all()
    return rows.filter(chain=INSTALLATION).order_by("-seq")[:20] if model is Entry else rows


def address(name: str, world: World) -> str:
    """The address of an admin page, about a row of `world` where there is one."""
    rows: list[models.Model] = [row for row in world.rows() if isinstance(row, models.Model)]
    mine = (row for row in rows if name.startswith(f"admin:{row._meta.app_label}_{row._meta.model_name}_"))
    key = str(getattr(next(mine, None), "pk", "00000000-0000-4000-8000-000000000000"))
    values = {"object_id": key, "id": key, "content_type_id": "1", "app_label": "labs"}
    path = ADDRESSES[name]
    return reverse(name, kwargs={k: v for k, v in values.items() if f":{k}>" in path or f"<{k}>" in path})


def test_the_operators_site_holds_what_is_listed_here_and_nothing_else() -> None:
    assert {model._meta.label for model in MODELS} == set(WRITABLE) | LOOKED_AT


def test_nobody_but_the_operator_gets_in_anywhere(cast: Cast, worlds: Worlds, client_of: Any) -> None:
    before = fingerprint()
    for person in (cast.nina, cast.vera, cast.theo, cast.anna, cast.bruno):
        client = client_of(person)
        for name in NAMES:
            for answer in (client.get(address(name, worlds[0])), client.post(address(name, worlds[0]), {})):
                assert answer.status_code in {302, 403}, (name, answer.status_code)
        assert client.get("/admin/", follow=True).status_code == 403
    assert fingerprint() == before


def test_a_stranger_is_sent_to_the_portals_own_door(cast: Cast, worlds: Worlds) -> None:
    for name in NAMES:
        where = address(name, worlds[0])
        answer = Client().get(where, follow=True)
        assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next="), name
        assert b'name="login"' in answer.content


def test_the_operator_comes_back_to_the_page_that_was_asked_for(cast: Cast, worlds: Worlds) -> None:
    answer = Client().get("/admin/orders/order/", follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/login/?next=/admin/orders/order/"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_what_the_operator_may_do(model: type[models.Model], cast: Cast, worlds: Worlds, client_of: Any) -> None:
    olga, may = client_of(cast.olga), WRITABLE.get(model._meta.label, set())
    base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert olga.get(reverse(f"{base}_changelist")).status_code == 200
    assert olga.get(reverse(f"{base}_add")).status_code == (200 if "add" in may else 403)
    row = next(iter(rows_of(model)), None)
    if row is not None:
        for act in ("change", "delete"):
            where = reverse(f"{base}_{act}", args=[row.pk])
            assert olga.get(where).status_code == (200 if act in may or act == "change" else 403), act
            if act not in may:
                before = fingerprint()
                assert olga.post(where, {"post": "yes", "_save": "1"}).status_code == 403
                assert fingerprint() == before


def test_every_list_can_be_searched(cast: Cast, worlds: Worlds, client_of: Any) -> None:
    olga = client_of(cast.olga)
    for model in MODELS:
        where = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        assert olga.get(where, {"q": "QQalphaQQ"}).status_code == 200, model


def test_a_search_finds_no_case_by_its_patient(cast: Cast, worlds: Worlds, client_of: Any) -> None:
    in_lab_a = Order.objects.using("operator").filter(pk=worlds[0].order.pk)
    in_lab_a.update(patient_last="Findme", doctor="Findme", notes="Findme")
    where = reverse("admin:orders_order_changelist")
    assert worlds[0].order.order_id not in client_of(cast.olga).get(where, {"q": "Findme"}).content.decode()


@pytest.mark.parametrize(("label", "lookup"), [(label, lookup) for label in HIDDEN for lookup in HIDDEN[label]])
def test_the_address_can_not_ask_about_a_column_that_is_not_shown(
    label: str, lookup: str, cast: Cast, worlds: Worlds, client_of: Any
) -> None:
    where = reverse(f"admin:{label.lower().replace('.', '_')}_changelist")
    assert client_of(cast.olga).get(where, {lookup: "Q"}).status_code == 400


def test_no_page_of_the_operator_shows_a_patient_a_note_or_a_secret(cast: Cast, worlds: Worlds, client_of: Any) -> None:
    olga = client_of(cast.olga)
    for model in MODELS:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages = [reverse(f"{base}_changelist")]
        for row in rows_of(model):
            pages += [reverse(f"{base}_change", args=[row.pk]), reverse(f"{base}_history", args=[row.pk])]
        for page in pages:
            text = olga.get(page).content.decode()
            for world in worlds:
                # The order's and the account's number and the account's name are the operator's business.
                for known in (f"{world.mark}1", f"{world.mark}2", f"{world.mark} account"):
                    text = text.replace(known, "")
                assert world.mark not in text, page


def test_the_pages_show_both_labs_cases(cast: Cast, worlds: Worlds, client_of: Any) -> None:
    """The control of the one above: the rows are there, read through the operator's own role."""
    page = client_of(cast.olga).get(reverse("admin:orders_order_changelist")).content.decode()
    assert worlds[0].order.order_id in page
    assert worlds[1].order.order_id in page


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_the_words_for_a_row_hold_no_patient_since_the_admins_log_keeps_them(
    model: type[models.Model], worlds: Worlds
) -> None:
    for row in rows_of(model):
        words = str(row)
        for world in worlds:
            for known in (f"{world.mark}1", f"{world.mark}2", f"{world.mark} account"):
                words = words.replace(known, "")
            assert world.mark not in words
