"""How a pairing is, in the lab's words; and who sees the address for notifications."""

from datetime import UTC, datetime, timedelta

import pytest

from connector.pairing.health import Health, ago, health
from connector.pairing.models import Pairing, State
from connector.pairing.words import reason_words
from tests.align import callback_secret, change, words_on

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WAIT = "Nothing is lost: cases wait at Align."


def of(state=State.ACTIVE, trouble="", **facts):
    return health(Pairing(state=state, **facts), NOW, trouble=trouble)


def test_one_that_was_checked_lately_is_fine():
    found = of(paired_at=NOW - 60 * MINUTE, succeeded_at=NOW - 2 * MINUTE)
    assert found == Health("ok", "Connected", "Align was checked 2 min ago. Cases come in by themselves.")


def test_a_new_one_waits_for_its_first_check():
    assert of(paired_at=NOW - MINUTE) == Health("warn", "Connected", "The first check is on its way.")


def test_one_that_was_connected_again_waits_for_its_next_check():
    """Not: the worker may be stopped, although the last check was days ago."""
    found = of(paired_at=NOW - MINUTE, succeeded_at=NOW - timedelta(days=3))
    assert found == Health("warn", "Connected", "The first check is on its way.")


def test_one_that_nobody_ever_checks_is_said_to_be_so():
    found = of(paired_at=NOW - 20 * MINUTE)
    words = f"Align was never checked. {reason_words('not_looked')} {WAIT}"
    assert found == Health("bad", "Not checked", words)


@pytest.mark.parametrize(("minutes", "tone"), [(16, "ok"), (18, "bad")])
def test_three_missed_checks_and_two_minutes_are_too_many(minutes, tone):
    assert of(paired_at=NOW - timedelta(days=9), succeeded_at=NOW - minutes * MINUTE).tone == tone


def test_one_that_was_not_checked_says_why_if_it_is_known():
    found = of(paired_at=NOW - timedelta(days=9), succeeded_at=NOW - timedelta(hours=3), reason="bad_answer")
    assert found.sentence == f"Align was last checked 3 h ago. {reason_words('bad_answer')} {WAIT}"


@pytest.mark.parametrize("trouble", ["worker_down", "queue_stuck", "safe_mode"])
def test_what_ails_the_whole_portal_goes_before_what_was_noted_while_it_worked(trouble):
    found = of(paired_at=NOW - timedelta(days=9), succeeded_at=NOW - timedelta(hours=3), reason="t", trouble=trouble)
    assert found.sentence == f"Align was last checked 3 h ago. {reason_words(trouble)} {WAIT}"
    assert "Something went wrong" not in found.sentence


def test_a_pause_that_lasts_too_long_is_no_mere_pause_and_says_when_it_ends():
    facts = {"paired_at": NOW - timedelta(days=9), "reason": "rate_limited", "paused_until": NOW + 30 * MINUTE}
    assert of(succeeded_at=NOW - 5 * MINUTE, **facts) == Health(
        "warn", "Paused", f"{reason_words('rate_limited')} The next try is at 12:30."
    )
    found = of(succeeded_at=NOW - 40 * MINUTE, **facts)
    words = f"Align was last checked 40 min ago. {reason_words('rate_limited')} The next try is at 12:30. {WAIT}"
    assert found == Health("bad", "Not checked", words)


@pytest.mark.parametrize(
    ("state", "label"), [("needs_pairing", "Sign in at Align again"), ("forbidden", "Not enabled at Align")]
)
def test_one_that_waits_for_a_person_says_what_to_do_and_that_nothing_is_lost(state, label):
    found = of(state, reason="invalid_grant")
    assert found == Health("bad", label, f"{reason_words('invalid_grant')} Nothing is lost.")


@pytest.mark.parametrize(
    ("state", "label", "words"),
    [
        ("unpairing", "Disconnecting", "We are telling Align that this connection ends."),
        ("unpaired", "Disconnected", "No new cases come in. The cases that came before stay here."),
        ("connecting", "Connecting", "The connection is being made."),
    ],
)
def test_one_that_begins_or_ends_says_so(state, label, words):
    assert of(state) == Health("warn", label, words)


def test_a_pause_says_why_and_ends_by_itself():
    paused = {"paired_at": NOW - timedelta(days=9), "succeeded_at": NOW - MINUTE, "reason": "rate_limited"}
    assert of(paused_until=NOW + MINUTE, **paused) == Health("warn", "Paused", reason_words("rate_limited"))
    assert of(paused_until=NOW - MINUTE, **paused).tone == "ok"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "just now"), (40, "40 s ago"), (125, "2 min ago"), (7300, "2 h ago"), (90_000, "yesterday"),
        (3 * 86_400, "3 days ago"), (30 * 86_400, "25 Oct"),
    ],
)  # fmt: skip
def test_times_are_said_as_people_say_them(seconds, words):
    assert ago(NOW - timedelta(seconds=seconds), NOW) == words


def test_every_state_has_words_of_its_own():
    assert len({of(state, reason="x").state for state in State}) == len(State)


def test_an_unknown_code_is_named_and_never_hidden():
    assert reason_words("odd_thing") == "Something went wrong (code odd_thing). The operator can look it up."


@pytest.mark.parametrize("code", ["no_key", "unknown_key", "broken", "foreign"])
def test_every_reason_why_a_token_cannot_be_opened_has_words(code):
    assert "Something went wrong" not in reason_words(code)


@pytest.mark.parametrize("who", ["anna", "theo", "vera"])
def test_nobody_is_shown_the_address_for_notifications(client_of, cast, align, paired, who):
    page = client_of(getattr(cast, who)).get("/connections/").content.decode()
    assert "Nordlicht Dental" in page
    for told in (callback_secret(align), paired.callback_hash, "/notify/"):
        assert told not in page


def test_another_lab_sees_nothing_of_it(bruno, paired):
    assert "Nordlicht Dental" not in words_on(bruno)


def test_the_page_stands_although_the_key_is_lost(anna, paired):
    change(paired, sealed_tokens="lost:gAAAA")
    assert "Nordlicht Dental" in words_on(anna)
