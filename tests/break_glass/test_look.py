"""A look into a lab's cases: not without a reason, not for long, and never without the lab knowing."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connector.break_glass.models import Look
from connector.break_glass.services import begin
from connector.orders.models import Order
from labportal.labs.models import User
from labportal.labs.tenancy import in_lab
from tests.audit.conftest import Since, since  # noqa: F401 - a fixture
from tests.cast import Cast
from tests.mails import Mails
from tests.orders.make import make_order, make_pairing
from tests.orders.pages import text_of

REASON = "Anna asked: ticket 4711"
START = "/admin/break-glass/"


@pytest.fixture
def olga(since: Since, cast: Cast, client_of: Callable[[User], Client]) -> Client:  # noqa: F811 - the fixture
    return client_of(cast.olga)


@pytest.fixture
def order(since: Since, cast: Cast) -> Order:  # noqa: F811 - the fixture
    texts: Any = dict.fromkeys(("patient_last", "doctor", "notes"), "ZZCANARY")
    return make_order(cast.lab_a, make_pairing(cast.lab_a), "114582239", **texts)


@pytest.fixture
def foreign(since: Since, cast: Cast) -> Order:  # noqa: F811 - the fixture
    return make_order(cast.lab_b, make_pairing(cast.lab_b), "999999", patient_last="Other")


@pytest.fixture
def look(order: Order, cast: Cast, mails: Mails) -> Look:
    return begin(lab=cast.lab_a, by=cast.olga, reason=REASON, minutes=15)


def start(client: Client, **changed: str) -> Any:
    return client.post(START, {"lab": "lab-a", "reason": REASON, "minutes": "15", **changed})


def test_with_a_reason_the_operator_reads_the_labs_cases(olga: Client, order: Order, mails: Mails) -> None:
    answer = start(olga)
    assert answer.status_code == 302
    cases = olga.get(answer["Location"])
    assert "ZZCANARY" in text_of(cases)
    case = text_of(olga.get(f"{answer['Location']}cases/{order.pk}"))
    assert case.count("ZZCANARY") >= 3
    assert "no-store" in cases["Cache-Control"]


@pytest.mark.parametrize(
    "changed", [{"reason": ""}, {"reason": "   short  "}, {"minutes": "600"}, {"minutes": "x"}, {"reason": "x" * 301}]
)
def test_without_a_reason_or_for_long_there_is_none(
    changed: dict[str, str], olga: Client, cast: Cast, mails: Mails
) -> None:
    assert "Write why, in at least 10 characters" in text_of(start(olga, **changed))
    with in_lab(cast.lab_a.pk):
        assert not Look.objects.of(cast.lab_a).exists()
    assert mails.all() == []


def test_a_lab_that_is_no_name_at_all_is_not_found(olga: Client) -> None:
    assert start(olga, lab="no\x00lab").status_code == 404


def test_the_owners_get_a_mail_at_once_and_nobody_else(look: Look, cast: Cast, mails: Mails) -> None:
    (mail,) = mails.all()
    assert mail["to"] == cast.anna.email
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        assert REASON in body.get_content()
        assert "/audit/?what=break_glass" in body.get_content()


@pytest.mark.parametrize("name", ["anna", "theo", "vera"])
def test_everybody_in_the_lab_sees_who_looks_and_why(
    name: str, look: Look, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    said = text_of(client_of(getattr(cast, name)).get("/"))
    assert f"The portal's operator ({cast.olga.display_name}) may read your lab's cases until" in said
    assert REASON in said
    assert "may read your lab" not in text_of(client_of(cast.bruno).get("/"))


def test_of_two_operators_who_look_at_once_both_are_named(
    look: Look, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    begin(lab=cast.lab_a, by=cast.nina, reason="Anna asked: ticket 4712", minutes=30)
    said = text_of(client_of(cast.anna).get("/"))
    for who, reason in ((cast.olga, REASON), (cast.nina, "Anna asked: ticket 4712")):
        assert re.search(rf"operator \({who.display_name}\) may read .{{20,60}} Reason: {reason}", said)


def test_the_look_and_each_case_stand_in_the_labs_own_chain(
    olga: Client,
    order: Order,
    cast: Cast,
    mails: Mails,
    since: Since,  # noqa: F811 - the fixture
) -> None:
    where = start(olga)["Location"]
    olga.post(where, {"q": "ZZCANARY"})
    olga.get(f"{where}cases/{order.pk}")
    olga.post(f"{where}end")
    entries = [entry for entry in since(cast.lab_a.pk) if entry.action.startswith("break_glass.")]
    assert [entry.action.split(".")[1] for entry in entries] == ["begun", "listed", "viewed", "ended"]
    assert {(entry.actor_kind, entry.actor_id) for entry in entries} == {("operator", cast.olga.pk)}
    assert entries[2].object_id == str(order.pk)
    assert "ZZCANARY" not in repr([vars(entry) for entry in entries])
    assert [entry.action for entry in since(None) if entry.action.startswith("break_glass.")] == [
        "break_glass.begun",
        "break_glass.ended",
    ]


@pytest.mark.parametrize("how", ["time", "ended"])
def test_when_it_is_over_nothing_is_read_any_more(
    how: str, look: Look, order: Order, olga: Client, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    where = reverse("break_glass_cases", args=[look.pk])
    assert olga.get(where).status_code == 200
    if how == "ended":
        olga.post(f"{where}end")
    else:
        with in_lab(cast.lab_a.pk):
            Look.objects.of(cast.lab_a).update(ends_at=timezone.now() - timedelta(seconds=1))
    assert [olga.get(where).status_code, olga.get(f"{where}cases/{order.pk}").status_code] == [404, 404]
    assert "may read your lab" not in text_of(client_of(cast.anna).get("/"))


def test_a_look_into_one_lab_shows_nothing_of_another(look: Look, foreign: Order, olga: Client) -> None:
    where = reverse("break_glass_cases", args=[look.pk])
    assert "999999" not in text_of(olga.get(where))
    assert "999999" not in text_of(olga.post(where, {"q": "999999"})).replace("value=", "")
    assert olga.get(f"{where}cases/{foreign.pk}").status_code == 404


def test_a_look_is_its_operators_own(look: Look, order: Order, cast: Cast, client_of: Callable[[User], Client]) -> None:
    other = User.objects.create_user("otto@example.com", "x" * 20, is_staff=True, is_superuser=True)
    try:
        otto, where = client_of(other), reverse("break_glass_cases", args=[look.pk])
        assert otto.get(START).status_code == 200  # he is an operator, and let in
        answers = [
            otto.get(where),
            otto.post(where, {"q": "x"}),
            otto.get(f"{where}cases/{order.pk}"),
            otto.post(f"{where}end"),
        ]
        assert [answer.status_code for answer in answers] == [404] * 4
        assert "114582239" not in otto.get(START).content.decode()
        with in_lab(cast.lab_a.pk):
            assert Look.objects.of(cast.lab_a).get().ended_at is None
    finally:
        other.delete()


@pytest.mark.parametrize("name", ["nina", "vera", "theo", "anna", "bruno"])
def test_nobody_but_an_operator_may(name: str, look: Look, cast: Cast, client_of: Callable[[User], Client]) -> None:
    client = client_of(getattr(cast, name))
    where = reverse("break_glass_cases", args=[look.pk])
    for answer in (client.get(START), start(client), client.get(where), client.post(f"{where}end")):
        assert answer.status_code in {302, 403, 404}
        assert "ZZCANARY" not in answer.content.decode()
    with in_lab(cast.lab_a.pk):
        assert Look.objects.of(cast.lab_a).count() == 1


def test_a_mail_server_that_is_away_stops_nothing(olga: Client, order: Order, settings: Any, cast: Cast) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", 1
    assert start(olga).status_code == 302


def test_an_unknown_look_is_a_missing_one(olga: Client) -> None:
    assert olga.get(reverse("break_glass_cases", args=[uuid4()])).status_code == 404
