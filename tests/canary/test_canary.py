"""A patient called ZZCANARY and one of each secret go through every page and failure: they stand in no log, mail, queue
row, address, cache, audit, page of the operator, or word of the machine about itself."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import NoReverseMatch, reverse

from labportal.doorbell import ring
from labportal.labs.models import User
from tests.canary import failing
from tests.canary.failing import run_queue
from tests.canary.places import found, machine, mails_in, queue_decoded, since, tables
from tests.canary.walk import FAILING, Walk
from tests.cast import Cast
from tests.database import TEST_DATA
from tests.faults.traces import CANARY, Traces
from tests.intake.desk import OpenDesk
from tests.mails import Mails

Logs = tuple[Traces, Path]
# A mailed link is for the person who reads the mail; the demo alone has a page that shows mails.
DEMO_MAILS = {f"addresses of {method} demo_mails" for method in ("GET", "POST")}
MEANT = {(place, "invitation token") for place in ("mails", *DEMO_MAILS)}


@pytest.fixture
def walk(logs: Logs, mails: Mails, open_desk: OpenDesk, cast: Cast) -> Walk:
    return Walk(open_desk("bomb", normal=1), cast, mails)


def of_the_operator(client: Client) -> dict[str, str]:
    """The lists and rows of the operator's site, who has not asked for a look into the lab's cases."""
    pages = {"admin": client.get("/admin/").content.decode()}
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages[f"{name} list"] = client.get(reverse(f"{name}_changelist")).content.decode()
        for row in model._default_manager.using("operator").order_by("-pk")[:2]:
            for kind in ("change", "history"):
                try:
                    address = reverse(f"{name}_{kind}", args=[row.pk])
                except NoReverseMatch:
                    continue
                pages[f"{name} {kind}"] = client.get(address).content.decode()
    return pages


def test_a_patient_and_every_secret_stay_where_they_belong(
    walk: Walk, logs: Logs, mails: Mails, enrol: Any, settings: Any, monkeypatch: pytest.MonkeyPatch,
    client_of: Callable[[User], Client], cast: Cast,
) -> None:  # fmt: skip
    traces, plain = logs
    server = since(TEST_DATA / "postgres.log")
    walk.make_secrets(enrol)
    walk.failing_pages(monkeypatch)
    walk.failing_tasks()
    walk.failing_align(settings, "bomb")
    walk.every_page()
    operators = of_the_operator(client_of(cast.olga))
    walk.removed(client_of(cast.anna))
    export = client_of(cast.anna).get("/audit/export")
    written = b"".join(export.streaming_content) if export.streaming else export.content  # type: ignore[attr-defined]  # a file
    export.close()
    places = walk.seen | queue_decoded() | tables() | machine() | operators | traces.texts()
    places |= {"mails": mails_in(mails), "PostgreSQL's log": server(), "audit export": written.decode()}
    # What was tried: the failures did carry the name, each kind of page was reached, no place is empty by mistake.
    assert CANARY in plain.read_text()
    assert {200, 302, 401, 404, 405} <= set(walk.statuses.values())
    assert walk.statuses["case", "GET"] == 200
    assert len(walk.needles) >= 11
    for place in ("mails", "test.log", "finished tasks, decoded", "audit entries", "audit export", "doctor"):
        assert len(places[place]) > 100, place
    hits = [hit for hit in found(places, walk.needles) if hit not in MEANT]
    assert not hits, hits


def test_control_a_line_that_quotes_a_patient_is_found(logs: Logs) -> None:
    logging.getLogger("connector.orders").warning("cannot read the scan of %s", f"{CANARY}son")
    assert found(logs[0].texts(), {"patient": CANARY}) == [("test.log", "patient")]


def test_control_a_task_without_its_door_is_found(walk: Walk, cast: Cast) -> None:
    ring(f"{FAILING}.without_door", cast.lab_a.pk, walk.order.pk)
    run_queue()
    places = {place for place, _ in found(queue_decoded(), walk.needles)}
    assert places == {"finished tasks, decoded"}


def test_control_a_name_given_to_the_queue_is_found(committed: None) -> None:
    ring(f"{FAILING}.words", failing.__name__, CANARY)
    assert ("queue, decoded", "patient") in found(queue_decoded(), {"patient": CANARY})
