"""No token, code, state, verifier or client secret appears where a person or another program could read it."""

import logging
import traceback
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connector.itero.errors import IteroError
from connector.pairing import tasks, vendor
from connector.pairing.access import Access, PairingStopped, access_for, call
from connector.pairing.models import ConnectAttempt, State
from labportal.labs.tenancy import in_lab
from labportal.sealing import unseal
from tests.align import again, callback_secret, change, come_back, let_pass, log_in, pairing_of, start_connecting
from tests.canary.everywhere import every_row

PAGES = ("/", "/connections/")
FAULTS = ({"status": 401, "times": 2}, {"status": 500}, {"html": True}, {"half_json": True}, {"reset_at": 0.0})


class Secrets:
    """Everything that must not be seen, gathered on the way."""

    def __init__(self) -> None:
        self.known: set[str] = {"demo-secret"}

    def add(self, *values: str) -> None:
        assert all(len(value) >= 11 for value in values)
        self.known |= set(values)

    def found_in(self, text: str) -> list[str]:
        return sorted(secret for secret in self.known if secret in text)


@pytest.fixture
def secrets():
    return Secrets()


@pytest.fixture
def walked(anna, align, cast, secrets, caplog):
    """Connected and refreshed, with all logs on; every secret on the way is remembered. The pages that were seen."""
    caplog.set_level(logging.DEBUG)
    seen = []
    url = start_connecting(anna)
    secrets.add(parse_qs(urlsplit(url).query)["state"][0])
    with caplog.at_level(logging.WARNING, logger="urllib3"):  # the person's browser, which is not ours
        back = log_in(url)
    secrets.add(parse_qs(urlsplit(back).query)["code"][0])
    page = come_back(anna, back)
    with in_lab(cast.lab_a.pk):
        attempt = ConnectAttempt.objects.of(cast.lab_a).get()
    for sealed in (attempt.sealed_verifier, attempt.sealed_tokens):
        secrets.add(*unseal(sealed, lab_id=attempt.lab_id, owner_id=attempt.pk).values())
    seen.append(anna.get(page).content.decode())
    anna.post(page, {"account": "479", "fetch_mode": "full"})
    pairing = pairing_of("479")
    secrets.add(callback_secret(align))
    remember(secrets, pairing)
    let_pass(align, pairing)
    access_for(pairing.lab_id, pairing.pk)
    remember(secrets, again(pairing))
    seen += [anna.get(url).content.decode() for url in PAGES]
    return pairing, seen


def remember(secrets, pairing):
    secrets.add(pairing.tokens.access_token, pairing.tokens.refresh_token)


def ask(access: Access) -> None:
    list(access.client.get_orders(access.endpoints, access_token=access.access_token))


def test_the_search_can_find_something(walked, align, secrets):
    """The control: Align's own page shows the address for notifications."""
    page = requests.get(f"{align.url}/", timeout=10).text
    assert secrets.found_in(page) == [callback_secret(align)]
    assert len(secrets.known) == 11  # none was forgotten, and no two are the same


def test_no_page_shows_one(walked, secrets):
    _, seen = walked
    assert len(seen) == 3
    assert secrets.found_in("".join(seen)) == []


def test_no_log_record_holds_one_whatever_goes_wrong(walked, align, anna, secrets, caplog):
    pairing, _ = walked
    for fault in FAULTS:
        align.fault(call="orders", **fault)
        with suppress(IteroError, PairingStopped):
            call(pairing.lab_id, pairing.pk, ask)
        remember(secrets, again(pairing))
        change(pairing, state=State.ACTIVE, paused_until=None)
    anna.post(f"/connections/{pairing.pk}/unpair", {"confirm": "yes"})
    tasks.unpair(str(pairing.lab_id), str(pairing.pk))
    records = [*caplog.get_records("setup"), *caplog.records]
    logged = "\n".join(f"{record.getMessage()} {vars(record)}" for record in records)
    assert "/identity/oauth/token" in logged  # the search has something to search, down to each request
    assert secrets.found_in(logged) == []


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("where", ["orders", "refresh"])
def test_no_exception_tells_one(walked, align, secrets, where, fault):
    pairing, _ = walked
    if where == "refresh":
        let_pass(align, pairing)
    align.fault(call=where, **fault)
    with pytest.raises((IteroError, PairingStopped)) as failed:
        call(pairing.lab_id, pairing.pk, ask)
    remember(secrets, again(pairing))
    error = failed.value
    told = "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))
    assert secrets.found_in(told) == []


def test_nothing_that_a_debugger_prints_of_a_call_shows_one(walked, secrets):
    pairing, _ = walked
    given = access_for(pairing.lab_id, pairing.pk)
    assert secrets.found_in(f"{given!r} {again(pairing)!r} {again(pairing).tokens!r} {vendor.client()!r}") == []


def test_no_table_holds_one_as_text(walked, anna, secrets):
    """The queue's rows, sessions, the cache: all tables, past row-level security."""
    pairing, _ = walked
    anna.post(f"/connections/{pairing.pk}/unpair", {"confirm": "yes"})
    rows = every_row()
    assert rows["django_q_ormq"]  # the doorbell was rung on the way
    assert rows["pairing_pairing"]  # and the lab's own rows are among them
    held = {table: secrets.found_in("\n".join(each)) for table, each in rows.items()}
    assert {table: found for table, found in held.items() if found} == {}
