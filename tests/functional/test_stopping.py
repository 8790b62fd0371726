"""Ctrl-C or SIGTERM ends the demo and leaves no process; a second start finds everything again."""

from pathlib import Path

import requests

from tests.functional.conftest import processes_of, start_demo, stop_demo, wait_for


def test_sigterm_leaves_no_process_and_a_second_start_knows_its_cases(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = start_demo(data, tmp_path / "first.log")
    lab = "Nordlicht Dental"
    wait_for(lambda: first.rest("/api/v1/orders", lab).json()["items"], seconds=60, what="a first case within a minute")
    known = {item["order_id"] for item in first.rest("/api/v1/orders", lab).json()["items"]}
    assert stop_demo(first) == 0
    assert processes_of(data) == []

    second = start_demo(data, tmp_path / "second.log")
    try:
        again = {item["order_id"] for item in second.rest("/api/v1/orders", lab).json()["items"]}
        assert known <= again
        assert requests.get(f"{second.url}/healthz", timeout=10).text == "ok"
    finally:
        stop_demo(second)
    assert processes_of(data) == []
