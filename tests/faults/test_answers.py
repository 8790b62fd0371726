"""What Align answers is odd, packed, doubled, or leads to another server; the true answer comes later."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.pairing.words import reason_words
from tests.align import let_pass, words_on
from tests.faults.lines import DISCOVERY, DOWNLOAD, LIST, LOOK_UP, TOKEN, OpenLine, Reach
from tests.faults.recovery import recover
from tests.faults.test_calls import grant_grace, pushed
from tests.faults.verdict import Verdict
from tests.intake.desk import forget_profile, page_by, work
from tests.itero.scripted_server import Script, ScriptedServer, reply
from tests.line.answers import Answer, scripted
from tests.line.toxics import Rewrite

CALLS = {"list": LIST, "look-up": LOOK_UP, "download": DOWNLOAD, "Discovery": DISCOVERY, "refresh": TOKEN}
PRIVATE = ("http://10.0.0.1", "https://169.254.169.254", "http://[::1]:1", "https://align.example")


@pytest.fixture
def elsewhere() -> Iterator[Script]:
    """A real server that is not on the list; it would answer, if it were asked."""
    running = ScriptedServer()
    running.script.otherwise = lambda asked: reply(200, {"orders": [], "totalPages": 1})
    yield running.script
    running.stop()


def changed_list(change: Callable[[list[dict[str, Any]]], list[Any]]) -> Callable[[Answer], bytes]:
    """The list with other orders in it."""

    def rewritten(answer: Answer) -> bytes:
        found = answer.json()
        return answer.with_json(found | {"orders": change(found["orders"])})

    return rewritten


ODD: dict[str, Callable[[list[dict[str, Any]]], list[Any]]] = {
    "unknown fields": lambda rows: [row | {"x": {"y": [1, None]}, "patientMood": "ZZ"} for row in rows],
    "an unknown status": lambda rows: [row | {"status": "Frobnicating"} for row in rows],
    "every order twice": lambda rows: rows + rows,
    "entries that are no orders": lambda rows: [None, 7, "x", [], {}, *rows],
    "numbers and texts exchanged": lambda rows: [
        row | {"orderId": int(row["orderId"]), "accountId": str(row["accountId"])} for row in rows
    ],
    "patients of the wrong shape": lambda rows: [row | {"patient": ["?"], "doctor": 5} for row in rows],
    "all but status and ids missing": lambda rows: [
        {name: row[name] for name in ("orderId", "rxId", "status", "accountId")} for row in rows
    ],
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.fault_case("answers", "list with {name}")
def test_an_odd_list(open_line: OpenLine, verdict: Verdict, name: str) -> None:
    reach = open_line()
    orders = [reach.desk.arrives() for _ in range(3)]
    reach.line.add(Rewrite(on=LIST, times=1, change=changed_list(ODD[name])))
    reach.desk.poll()
    work(forgiving=True)
    assert [order.order_id for order in reach.desk.orders()] == orders
    if name == "an unknown status":
        assert "Frobnicating" in words_on(reach.desk.browser, f"/cases/{reach.desk.order(orders[0]).pk}")
    recover(reach.desk)
    verdict(reach.desk)


@pytest.mark.fault_case("answers", "one malformed order of 100", long=True)
def test_one_malformed_order_of_a_hundred(open_line: OpenLine, verdict: Verdict) -> None:
    reach = open_line(normal=100)
    orders = [reach.desk.arrives() for _ in range(100)]
    spoil = changed_list(lambda rows: [row | {"rxId": None} if row["orderId"] == orders[50] else row for row in rows])
    reach.line.add(Rewrite(on=LIST, times=1, change=spoil))
    run = reach.desk.poll()
    assert (run.listed, run.new, run.malformed, run.reason) == (100, 99, 1, "")
    work(forgiving=True, rounds=500)
    assert orders[50] not in [order.order_id for order in reach.desk.orders()]
    verdict_of_the_others = [order_id for order_id in orders if order_id != orders[50]]
    assert all(reach.desk.revision(order_id).has_files for order_id in verdict_of_the_others)
    reach.desk.poll()
    recover(reach.desk)
    verdict(reach.desk)


@pytest.mark.fault_case("answers", "the first page comes again in place of the second")
def test_a_page_comes_twice(open_line: OpenLine, verdict: Verdict, settings: Any, tmp_path: Path) -> None:
    reach = open_line()
    page_by(settings, tmp_path, "assumed", "page")
    for _ in range(5):
        reach.desk.arrives()
    first: list[Any] = []

    def again(answer: Answer) -> bytes:
        found = answer.json()
        first.extend(found["orders"] if "page=1" in answer.request_line else [])
        return answer.with_json(found | {"orders": first[:2]})

    reach.line.add(Rewrite(on=LIST, times=3, change=again))
    run = reach.desk.poll()
    assert run.reason == "bad_answer"
    recover(reach.desk)
    verdict(reach.desk)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.fault_case("answers", "{name} packed by gzip, although asked for as it is")
def test_a_packed_answer(open_line: OpenLine, verdict: Verdict, settings: Any, tmp_path: Path, name: str) -> None:
    reach = open_line(refresh_grace=600)
    grant_grace(settings, tmp_path)
    let_pass(reach.desk.align, reach.desk.pairing)
    pack = Rewrite(
        on=CALLS[name],
        times=1,
        change=lambda answer: answer.with_body(gzip.compress(answer.body), "Content-Encoding: gzip"),
    )
    reach.line.add(pack)
    come_both_ways(reach)
    recover(reach.desk)
    verdict(reach.desk)
    forget_profile()


def come_both_ways(reach: Reach) -> None:
    reach.desk.arrives()
    reach.desk.poll()
    work(forgiving=True)
    pushed(reach)
    work(forgiving=True)


def naming(host: str) -> Callable[[Answer], bytes]:
    """Discovery names this server for every call."""

    def rewritten(answer: Answer) -> bytes:
        found = answer.json()
        named = {name: host + "/" + url.split("/", 3)[3] for name, url in found["endpoints"].items()}
        return answer.with_json(found | {"endpoints": named})

    return rewritten


@pytest.mark.parametrize("host", [pytest.param("a foreign server", marks=pytest.mark.cut), *PRIVATE])
@pytest.mark.fault_case("answers", "the region moves, and Discovery names {host}")
def test_discovery_names_a_server_that_is_not_on_the_list(
    open_line: OpenLine, verdict: Verdict, elsewhere: Script, host: str
) -> None:
    reach = open_line()
    reach.desk.arrives()
    reach.desk.poll()
    reach.desk.align.tell("region", {"accountId": 479, "region": "us"})
    reach.line.add(Rewrite(on=DISCOVERY, change=naming(host if "://" in host else elsewhere.url)))
    come_both_ways(reach)
    assert reason_words("host_not_allowed") in words_on(reach.desk.browser)
    recover(reach.desk, rounds=2)
    assert elsewhere.asked == []
    reach.heal()
    recover(reach.desk)
    verdict(reach.desk)


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.fault_case("answers", "{name} answers {status} to a foreign server: the bearer token stays here")
def test_a_redirect_to_a_foreign_server_gets_no_token(
    open_line: OpenLine, verdict: Verdict, settings: Any, tmp_path: Path, elsewhere: Script, name: str, status: int
) -> None:
    reach = open_line(refresh_grace=600)
    grant_grace(settings, tmp_path)
    if name in ("Discovery", "refresh"):
        let_pass(reach.desk.align, reach.desk.pairing)
    away = scripted(status, b"", f"Location: {elsewhere.url}/here")
    reach.line.add(Rewrite(on=CALLS[name], times=1, change=lambda answer: away))
    come_both_ways(reach)
    recover(reach.desk)
    verdict(reach.desk)
    assert elsewhere.asked == []
    forget_profile()
