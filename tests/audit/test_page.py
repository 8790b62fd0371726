"""The lab's page: what it shows, to whom, and what it gives away as a file."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from labportal.audit.chain import entry_hash
from labportal.audit.context import Actor, acting
from labportal.audit.models import Entry
from labportal.audit.services import record
from labportal.audit_pages.words import ACTIONS
from labportal.env import BASE_DIR
from labportal.labs.models import User
from tests.audit.conftest import Since
from tests.cast import Cast
from tests.orders.make import make_order, make_pairing
from tests.orders.pages import text_of

SignedIn = Callable[[User], Client]


@pytest.fixture
def owner(since: Since, cast: Cast, client_of: SignedIn) -> Client:
    return client_of(cast.anna)


def rows(client: Client, **query: str) -> list[Any]:
    return list(client.get("/audit/", query).context["rows"])


def test_the_newest_stands_first_with_who_and_what_in_words(owner: Client, cast: Cast) -> None:
    with acting(Actor("person", cast.theo.pk), ip="203.0.113.5"):
        record("case.downloaded", lab_id=cast.lab_a.pk, file="zip")
    first, second = rows(owner)[:2]
    assert (first["who"], first["what"], first["ip"]) == ("Theo", "Downloaded: zip", "203.0.113.5")
    assert (second["about"], second["what"]) == ("Anna", "Signed in (other)")


def test_an_unknown_code_is_shown_as_it_is(owner: Client, cast: Cast) -> None:
    record("kettle.boiled", lab_id=cast.lab_a.pk)
    assert rows(owner)[0]["what"] == "kettle.boiled"


def test_every_code_in_the_source_has_words() -> None:
    """Whoever adds an act says in labportal/audit_pages/words.py what the lab calls it."""
    told = re.compile(
        r"(?:record|record_once|record_refusal|record_for_person|note|note_once|note_taken|note_refusal|audit)\([^()\"]*\"([a-z_]+\.[a-z_]+)\"",
        re.S,
    )
    codes: set[str] = set()
    for folder in ("labportal", "connector"):
        for path in Path(BASE_DIR, folder).rglob("*.py"):
            if (
                "itero" not in path.parts
                and "simulator" not in path.parts
                and re.search(r"labportal\.audit|connector\.orders\.trail", path.read_text())
            ):
                codes |= set(told.findall(path.read_text()))
    assert len(codes) > 20
    assert codes - set(ACTIONS) == set()


def test_another_labs_entries_are_never_among_them(owner: Client, cast: Cast) -> None:
    record("spoon.bent", lab_id=cast.lab_b.pk)
    record("spoon.bent", lab_id=None)
    assert "spoon.bent" not in [row["code"] for row in rows(owner)]
    assert "spoon.bent" not in owner.get("/audit/export").getvalue().decode()


@pytest.mark.parametrize("name", ["theo", "vera"])
def test_it_is_the_owners_alone(name: str, since: Since, cast: Cast, client_of: SignedIn) -> None:
    client = client_of(getattr(cast, name))
    assert [client.get("/audit/").status_code, client.get("/audit/export").status_code] == [403, 403]
    assert "/audit/" not in client.get("/").content.decode()


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({"what": "key"}, {"key.made"}),
        ({"who": "{theo}"}, {"case.viewed"}),
        ({"who": "portal"}, {"case.stored"}),
        ({"who": "key"}, {"export.listed"}),
        ({"case": "114582239"}, {"case.viewed"}),
        ({"case": "{order}"}, {"case.viewed"}),
        ({"case": "no such, case"}, set()),
        ({"since": "2999-01-01"}, set()),
        ({"until": "2000-01-01"}, set()),
        ({"who": "nonsense"}, set()),
    ],
)
def test_filters(query: dict[str, str], codes: set[str], owner: Client, cast: Cast) -> None:
    order = make_order(cast.lab_a, make_pairing(cast.lab_a), "114582239")
    for actor, action, target in (
        (Actor("person", cast.theo.pk), "case.viewed", order),
        (Actor("system"), "case.stored", None),
        (Actor("key", code="lp_12345678"), "export.listed", None),
        (Actor("operator", cast.olga.pk), "key.made", None),
    ):
        with acting(actor):
            record(action, lab_id=cast.lab_a.pk, target=target, **({"order": order.order_id} if target else {}))
    newest = Entry.objects.using("operator").filter(chain=cast.lab_a.pk).order_by("-seq").values_list("seq", flat=True)
    begun = (newest.first() or 0) - 4
    wanted = {name: value.format(theo=cast.theo.pk, order=order.pk) for name, value in query.items()}
    assert {row["code"] for row in rows(owner, **wanted) if row["seq"] > begun} == codes


def test_a_page_ends_and_the_next_goes_on_where_it_ended(owner: Client, cast: Cast) -> None:
    for _ in range(60):
        record("kettle.boiled", lab_id=cast.lab_a.pk)
    page = owner.get("/audit/")
    first = [row["seq"] for row in page.context["rows"]]
    second = [row["seq"] for row in owner.get(page.context["next_url"]).context["rows"]]
    assert len(first) == 50
    assert second[0] == first[-1] - 1


def test_a_look_an_export_and_a_check_are_recorded_themselves(owner: Client, cast: Cast, since: Since) -> None:
    before = len(since(cast.lab_a.pk))
    owner.get("/audit/")
    owner.get("/audit/export", {"format": "json"}).close()
    owner.post("/audit/check")
    assert [entry.action for entry in since(cast.lab_a.pk)[before:]] == [
        "audit.viewed",
        "audit.exported",
        "audit.checked",
    ]


def test_the_check_says_that_all_is_whole(owner: Client, cast: Cast, settings: Any, tmp_path: Path) -> None:
    settings.AUDIT_ANCHORS_DIR = tmp_path
    assert "entries are as they were written, without a gap" in text_of(owner.post("/audit/check", follow=True))


def test_the_check_says_where_it_is_broken(owner: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labportal.audit.anchors.load", lambda: {cast.lab_a.pk: {10**9: "0" * 64}})
    said = text_of(owner.post("/audit/check", follow=True))
    assert "The record is not whole at entry" in said
    assert "Tell the portal's operator" in said


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_csv_begins_like_a_formula(start: str, owner: Client, cast: Cast) -> None:
    User.objects.filter(pk=cast.theo.pk).update(name=f"{start}cmd|' /C calc'!A0")
    try:
        with acting(Actor("person", cast.theo.pk, code=start), ip=f"{start}1"):
            record("case.viewed", lab_id=cast.lab_a.pk, note=f"{start}1")
        answer = owner.get("/audit/export")
        text = answer.getvalue().decode("utf-8-sig")
    finally:
        User.objects.filter(pk=cast.theo.pk).update(name="Theo")
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    assert lines[0]["ip"] == f"'{start}1"
    assert [cell for line in lines for cell in line.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


def test_whoever_has_the_json_can_check_the_chain_without_us(owner: Client, cast: Cast) -> None:
    record("case.viewed", lab_id=cast.lab_a.pk, count=3)
    answer = owner.get("/audit/export", {"format": "json"})
    assert answer["Content-Disposition"].startswith('attachment; filename="audit-lab-a-')
    found = json.loads(answer.getvalue())
    before = None
    for one in reversed(found):
        assert before in (None, one["previous"])
        before = one["hash"]
        stored = Entry.objects.using("operator").get(pk=one["hash"])
        assert entry_hash(stored) == one["hash"]
        assert (stored.facts, stored.seq, stored.action) == (one["facts"], one["seq"], one["action"])


def test_the_operator_reads_the_installations_chain_and_no_labs(since: Since, cast: Cast, client_of: SignedIn) -> None:
    record("fork.lost", lab_id=cast.lab_a.pk)
    record("backup.made", lab_id=None, files=7)
    client = client_of(cast.olga)
    said = text_of(client.get("/admin/audit/entry/"))
    assert "Backup made (7 files)" in said
    assert "fork.lost" not in said
    hidden = Entry.objects.using("operator").filter(chain=cast.lab_a.pk).first()
    assert hidden
    assert client.get(f"/admin/audit/entry/{hidden.pk}/change/").status_code == 302


def test_the_filters_are_posted_and_a_name_gets_into_no_address(owner: Client) -> None:
    asked = owner.post("/audit/", {"case": "114582239", "what": "case", "since": "2026-01-02", "who": ""})
    assert asked["Location"] == "/audit/?what=case&since=2026-01-02&case=114582239"
    named = owner.post("/audit/", {"case": "ZZCANARY", "what": "case"})
    assert named["Location"] == "/audit/?what=case"
    assert "This record knows no names" in text_of(owner.get(named["Location"]))
