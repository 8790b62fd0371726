"""The daily anchors: what they say, who can forge them, and how the command tells a broken chain."""

import io
import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from labportal.audit import anchors
from labportal.audit.services import record
from labportal.audit.verify import verify
from tests.audit.conftest import Since

DAY = datetime(2026, 11, 24, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _folder(since: Since, settings: Any, tmp_path: Path) -> None:
    settings.AUDIT_ANCHORS_DIR = tmp_path / "anchors"


@pytest.fixture
def chain() -> uuid.UUID:
    made = uuid.uuid4()
    for _ in range(3):
        record("case.viewed", lab_id=made)
    return made


def test_an_anchor_names_each_chains_last_entry(chain: uuid.UUID, since: Since) -> None:
    anchors.anchor(DAY)
    record("case.viewed", lab_id=chain)
    anchors.anchor(DAY + timedelta(days=1))
    entries = since(chain)
    assert anchors.load()[chain] == {3: entries[2].hash, 4: entries[3].hash}


def test_once_a_day_it_is_written_by_itself(chain: uuid.UUID) -> None:
    anchors.anchor_daily()
    (path,) = anchors.folder().iterdir()
    first = path.read_bytes()
    anchors.anchor_daily()
    assert (list(anchors.folder().iterdir()), path.read_bytes()) == ([path], first)
    assert path.stat().st_mode & 0o077 == 0


def test_what_was_anchored_on_a_day_stays_though_the_chain_has_gone(chain: uuid.UUID) -> None:
    """A second anchor of the day must not bury what the first one knew."""
    gone = str(uuid.uuid4())
    path = anchors.anchor(DAY)
    body = json.loads(path.read_text())
    body.pop("mac")
    body["heads"][gone] = [9, "f" * 64]
    body["mac"] = anchors._mac(next(anchors._keys())[1], body)
    path.write_text(json.dumps(body))
    anchors.anchor(DAY)
    assert anchors.load()[uuid.UUID(gone)] == {9: "f" * 64}


def test_a_later_anchor_of_the_same_place_does_not_bury_the_earlier_one(chain: uuid.UUID, since: Since) -> None:
    """Who rewrites a chain in which nothing happens any more has the next day's anchor on their side."""
    anchors.anchor(DAY)
    later = anchors.anchor(DAY + timedelta(days=1))
    body = json.loads(later.read_text())
    body.pop("mac")
    body["heads"][str(chain)] = [3, "f" * 64]  # what the worker anchors when head and entries were changed before
    body["mac"] = anchors._mac(next(anchors._keys())[1], body)
    later.write_text(json.dumps(body))
    assert anchors.load()[chain] == {3: since(chain)[2].hash}


def test_a_chain_that_is_longer_in_an_anchor_is_cut(chain: uuid.UUID) -> None:
    verdict = verify(chain, {3: "0" * 64, 5: "0" * 64})
    assert (verdict.broken, verdict.seq) == ("anchor", 3)
    verdict = verify(chain, {5: "0" * 64})
    assert (verdict.broken, verdict.seq) == ("cut", 4)


@pytest.mark.parametrize("change", ["seq", "cut", "mac", "key"])
def test_a_changed_anchor_is_refused_by_name(change: str, chain: uuid.UUID) -> None:
    path = anchors.anchor(DAY)
    body = json.loads(path.read_text())
    if change == "seq":
        body["heads"][str(chain)][0] = 2
    elif change == "cut":
        del body["heads"][str(chain)]
    else:
        body[change] = "0" * 64
    path.write_text(json.dumps(body))
    with pytest.raises(CommandError, match=r"2026-11-24\.json is damaged, or signed with a key"):
        call_command("verify_audit")


def test_anchors_of_an_older_key_are_good_while_the_ring_has_it(chain: uuid.UUID, settings: Any) -> None:
    settings.AUDIT_KEYS = ["a1:first"]
    anchors.anchor(DAY)
    settings.AUDIT_KEYS = ["a2:second", "a1:first"]
    anchors.anchor(DAY + timedelta(days=1))
    assert chain in anchors.load()
    settings.AUDIT_KEYS = ["a2:second"]
    with pytest.raises(anchors.AnchorsBroken):
        anchors.load()


def test_the_command_names_the_first_broken_entry_and_fails(chain: uuid.UUID, settings: Any) -> None:
    path = anchors.anchor(DAY)
    body = json.loads(path.read_text())
    body.pop("mac")
    body["heads"][str(chain)] = [7, "f" * 64]
    body["mac"] = anchors._mac(next(anchors._keys())[1], body)
    path.write_text(json.dumps(body))
    errors = io.StringIO()
    with pytest.raises(CommandError, match=r"1 of \d+ chains are broken"):
        call_command("verify_audit", stdout=io.StringIO(), stderr=errors)
    assert errors.getvalue().startswith(f"lab {chain}: BROKEN at entry 4 (cut): the end of the chain is missing")
