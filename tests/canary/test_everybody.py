"""No patient and no secret comes out where it does not belong, on any page, by anybody, whatever fails meanwhile."""

import gc
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from connector.lms.models import ApiKey
from connector.lms.services import make_key
from connector.orders.models import Order
from connector.returns.models import Return
from labportal.doors import TaskFailed, door
from tests.canary.everywhere import PATIENT, Canary, addresses_in, all_logs, leaks, mails_text, tables
from tests.cast import Cast
from tests.isolation.routes import ROUTES
from tests.isolation.test_admin_addresses import MODELS, rows_of
from tests.isolation.test_every_url import METHODS, ids_of
from tests.isolation.world import World, make_world
from tests.mails import Mails, mails  # noqa: F401 - a fixture

PASSWORD = "ZZSECRET-typed-password"
TYPED = {
    "case_return": {"reason": "bite", "comment": PATIENT},
    "attention_dismiss": {"number": "1", "note": PATIENT},
    "attention_fetch": {"rx_id": PATIENT, "connection": "{pairing_id}"},
    "search": {"q": PATIENT},
    "find": {"q": PATIENT},
    "find_ask": {"q": PATIENT},
    "audit": {"case": PATIENT},
    "patient_data": {"q": PATIENT},
    "case_hold": {"reason": PATIENT},
    "lab_hold": {"reason": PATIENT},
    "account_login": {"login": f"{PATIENT}@example.com", "password": PASSWORD},
    "account_reauthenticate": {"password": PASSWORD},
    "account_change_password": {"oldpassword": PASSWORD, "password1": PASSWORD, "password2": PASSWORD},
}  # fmt: skip


@pytest.fixture
def canary() -> Canary:
    found = Canary()
    found.add(PASSWORD)
    return found


@pytest.fixture
def world(committed: None, cast: Cast) -> World:
    """Lab A's, with the patient in every place that is made for a patient."""
    made = make_world(cast.lab_a, cast.anna, "QQalphaQQ")
    texts = dict.fromkeys(("patient_last", "patient_first", "doctor", "practice", "notes", "chart_number"), PATIENT)
    Order.objects.using("operator").filter(pk=made.order.pk).update(**texts)
    Return.objects.using("operator").filter(pk=made.returned.pk).update(comment=PATIENT)
    return made


@pytest.fixture
def visitors(cast: Cast, client_of: Any, canary: Canary) -> dict[str, Client]:
    """Everybody who may ask, and a lab's own system; what opens doors for them is remembered."""
    _, text = make_key(lab=cast.lab_a, name="LMS", by=None)
    people = {name: client_of(getattr(cast, name)) for name in ("anna", "theo", "vera", "bruno", "nina", "olga")}
    everybody = {"anonymous": Client(), **people, "key": Client(headers={"Authorization": f"Bearer {text}"})}
    canary.add(text)
    for visitor in everybody.values():
        visitor.raise_request_exception = False
    return everybody


# --- what goes wrong meanwhile


@contextmanager
def nothing() -> Iterator[None]:
    yield


@contextmanager
def the_database_refuses_and_quotes_the_row() -> Iterator[None]:
    """As a constraint does: with the patient in the error's text."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION 'Key (patient)=({PATIENT}) already exists' USING DETAIL = 'row ({PATIENT})'; END $$"
        )
        for table in ("audit_entry", "orders_timelineevent", "orders_seenby"):
            cursor.execute(f"CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()")
    try:
        yield
    finally:
        with connections["owner"].cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse() CASCADE")


@contextmanager
def the_files_are_gone() -> Iterator[None]:
    shutil.rmtree(settings.SCANS_DIR, ignore_errors=True)
    yield


@contextmanager
def templates_break() -> Iterator[None]:
    """A page that fails while it shows the patient."""
    before = Order.patient

    def broken(order: Order) -> str:
        raise ValueError(f"can't show {order.patient_last}")

    Order.patient = property(broken)  # type: ignore[assignment]  # put back below
    try:
        yield
    finally:
        Order.patient = before  # type: ignore[method-assign]  # as above


FAILURES: tuple[Callable[[], Any], ...] = (
    nothing, the_database_refuses_and_quotes_the_row, templates_break, the_files_are_gone,
)  # fmt: skip


def walk(visitors: dict[str, Client], world: World) -> tuple[str, set[int], bool]:
    """Everybody asks for everything; (addresses named in answers, statuses, whether the patient was shown at all)."""
    named, statuses, shown = [], set(), False
    for name, route in ROUTES.items():
        for ids in (ids_of(world), ids_of(None)):
            where = reverse(name, kwargs={key: ids[route.uses.get(key, key)] for key in route.takes})
            form = {key: value.format(**ids) for key, value in TYPED.get(name, route.form).items()}
            for visitor in visitors.values():
                for method in METHODS:
                    answer: Any = visitor.get(where) if method == "GET" else visitor.post(where, form)
                    named.append(addresses_in(answer))
                    statuses.add(answer.status_code)
                    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
                    answer.close()
                    shown = shown or PATIENT.encode() in body
                    if answer.status_code == 500:  # a file that is gone (503) is told to the lab on its own page
                        assert PATIENT.encode() not in body, f"{name}: an error page tells it"
    return "\n".join(named), statuses, shown


# A file that a view had opened before it failed is closed when the exception is forgotten.
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.__name__)
def test_no_page_and_no_failure_lets_it_out(
    failure: Callable[[], Any], world: World, visitors: dict[str, Client], canary: Canary, mails: Mails  # noqa: F811 - the fixture
) -> None:  # fmt: skip
    with all_logs() as logs, failure():
        named, statuses, shown = walk(visitors, world)
        states = Client().get(reverse("status"), headers={"Authorization": f"Bearer {settings.STATUS_TOKEN}"})
    gc.collect()
    assert canary.lines_with(named) == []
    assert canary.lines_with(logs.getvalue()) == []
    assert canary.lines_with(mails_text(mails)) == []
    assert canary.found_in(states.content.decode()) == []
    assert leaks(tables(canary)) == {}
    # The walk was one: the patient was shown to who may see it, and the failure really happened. What can't be recorded
    # is not shown either.
    assert shown or failure in {the_database_refuses_and_quotes_the_row, templates_break}
    assert not (shown and failure is the_database_refuses_and_quotes_the_row)
    assert (500 in statuses) == (failure in {the_database_refuses_and_quotes_the_row, templates_break})
    assert (503 in statuses) == (failure is the_files_are_gone)
    assert "Traceback" in logs.getvalue() or "django.request" in logs.getvalue()


def test_no_operators_page_shows_it(world: World, visitors: dict[str, Client], canary: Canary) -> None:
    for model in MODELS:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages = [reverse(f"{base}_changelist"), reverse(f"{base}_changelist") + f"?q={model._meta.model_name}"]
        for row in rows_of(model):
            pages += [reverse(f"{base}_change", args=[row.pk]), reverse(f"{base}_history", args=[row.pk])]
        for page in pages:
            assert canary.found_in(visitors["olga"].get(page).content.decode()) == [], page


# --- tasks


@door
def fails_with_the_patient() -> None:
    raise ValueError(f"row ({PATIENT}) was refused")


def test_a_task_that_fails_tells_a_type_only(committed: None, canary: Canary) -> None:
    with all_logs() as logs, pytest.raises(TaskFailed) as failed:
        fails_with_the_patient()
    assert canary.found_in(f"{failed.value!r} {failed.value.__cause__!r} {failed.value.__context__!r}") == []
    assert canary.found_in(logs.getvalue()) == []
    assert "ValueError" in logs.getvalue()


# --- the search can find


def test_the_search_finds_what_is_planted(world: World, canary: Canary, cast: Cast) -> None:
    """The control: each place, with the canary in it."""
    with all_logs() as logs:
        logging.getLogger("planted").debug("patient %s", PATIENT)
    assert canary.found_in(logs.getvalue()) == [PATIENT]
    assert canary.found_in("/?q=%5A%5ACANARY") == [PATIENT]
    assert leaks(tables(canary)) == {}
    OrmQ.objects.create(key="k", payload="x")
    cache.set("planted", {"patient": PATIENT})
    ApiKey.objects.using("operator").filter(lab=cast.lab_a).update(name=PASSWORD)
    Order.objects.using("operator").filter(pk=world.order.pk).update(notes=PASSWORD)
    assert leaks(tables(canary)) == {
        "labportal_cache": [PATIENT], "lms_apikey": [PASSWORD], "orders_order": [PASSWORD],
    }  # fmt: skip


def test_a_form_that_comes_too_late_is_not_kept(committed: None, cast: Cast, client_of: Any, canary: Canary) -> None:
    """allauth keeps it in the session, with headers and cookies, until the person has confirmed who it is."""
    visitor, headers = client_of(cast.anna), {"Authorization": f"Bearer {PASSWORD}"}
    session = visitor.session
    session["account_authentication_methods"] = []
    session.save()
    answer = visitor.post("/accounts/2fa/recovery-codes/generate/", {"note": PASSWORD}, headers=headers)
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    assert leaks(tables(canary)) == {}
    assert "Nothing was changed yet." in visitor.get(answer.headers["Location"]).content.decode()
