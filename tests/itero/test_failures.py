"""Every way in which an answer can be wrong becomes the right error, without a secret in it."""

import traceback

import pytest

from connector import itero
from connector.itero import Client, Endpoints
from tests.itero.conftest import MakeClient
from tests.itero.scripted_server import Reply, Script, reply

SECRET = "ZZCANARY-token"
RX_ID = "ZZCANARY-rx"


def accounts(client: Client, endpoints: Endpoints) -> object:
    return client.get_accounts(endpoints, access_token=SECRET)


@pytest.mark.parametrize(
    ("status", "expected", "retry"),
    [
        (400, itero.BadRequest, False),
        (401, itero.Unauthorized, False),
        (403, itero.Forbidden, False),
        (404, itero.NotFound, False),
        (408, itero.Timeout, True),
        (409, itero.Conflict, False),
        (410, itero.Gone, False),
        (418, itero.BadRequest, False),
        (429, itero.RateLimited, True),
        (500, itero.VendorUnavailable, True),
        (503, itero.VendorUnavailable, True),
    ],
)
def test_each_status_has_its_error_and_says_whether_to_try_again(
    client: Client, endpoints: Endpoints, server: Script, status: int, expected: type[itero.IteroError], retry: bool
) -> None:
    server.will(reply(status, {"error": "whatever"}))
    with pytest.raises(itero.IteroError) as caught:
        accounts(client, endpoints)
    assert (type(caught.value), caught.value.retry, caught.value.status) == (expected, retry, status)


@pytest.mark.parametrize("status", [401, 403, 409, 429, 500])
def test_an_error_with_a_web_page_for_a_body_is_still_told_by_its_status(
    client: Client, endpoints: Endpoints, server: Script, status: int
) -> None:
    server.will(reply(status, b"<html>ZZCANARY</html>", Content_Type="text/html"))
    with pytest.raises(itero.IteroError) as caught:
        accounts(client, endpoints)
    assert caught.value.status == status
    assert not isinstance(caught.value, itero.WebPage)


@pytest.mark.parametrize("status", [404, 410])
def test_a_web_page_that_says_404_or_410_is_a_gateways_and_no_word_on_an_order(
    client: Client, endpoints: Endpoints, server: Script, status: int
) -> None:
    """Of all statuses these two alone would give an order up for ever; and a gateway says them, for minutes, while
    what is behind it is being replaced."""
    server.will(reply(status, b"<html>ZZCANARY</html>", Content_Type="text/html; charset=utf-8"))
    with pytest.raises(itero.WebPage) as caught:
        client.get_order_by_rx_id(endpoints, access_token=SECRET, rx_id=RX_ID)
    assert (type(caught.value), caught.value.code) == (itero.NoSuchPage, "web_page")
    assert (caught.value.retry, caught.value.status) == (True, status)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>ZZCANARY</html>",
        b'{"accounts": [{"accountId": 4',
        b"",
        b'{"accounts": [], "x": NaN}',
        b'{"accounts": [], "x": 1e999}',
        b"[" * 200_000,
        b'{"accounts": [], "x": ' + b"9" * 5000 + b"}",
        b"\xff\xfe\x00ZZCANARY",
        b'{"other": []}',
        b'"ZZCANARY"',
    ],
    ids=["html", "half", "empty", "nan", "infinite", "nested", "huge number", "not text", "no list", "no object"],
)
def test_a_body_that_is_not_the_expected_json_is_a_bad_answer(
    client: Client, endpoints: Endpoints, server: Script, body: bytes
) -> None:
    server.will(reply(200, body, Content_Type="application/json"))
    with pytest.raises(itero.BadAnswer):
        accounts(client, endpoints)


def test_json_sent_as_a_web_page_is_refused(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(reply(200, b'{"accounts": []}', Content_Type="text/html; charset=utf-8"))
    with pytest.raises(itero.BadAnswer, match="web page"):
        accounts(client, endpoints)


def test_an_answer_that_is_too_large_is_refused_without_reading_it_whole(
    client: Client, endpoints: Endpoints, server: Script
) -> None:
    server.will(reply(200, b" " * (21 * 1024 * 1024) + b'{"accounts": []}', Content_Type="application/json"))
    with pytest.raises(itero.BadAnswer, match="too large"):
        accounts(client, endpoints)


def test_a_connection_reset_is_a_lost_connection(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(Reply(b"", reset=True))
    with pytest.raises(itero.ConnectionLost):
        accounts(client, endpoints)


def test_a_body_that_ends_early_is_truncated(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(reply(200, b'{"accounts"', Content_Length="400"))
    with pytest.raises(itero.Truncated):
        accounts(client, endpoints)


def test_a_server_that_says_nothing_runs_into_the_time_out(
    make_client: MakeClient, endpoints: Endpoints, server: Script
) -> None:
    server.will(Reply(reply(200, {"accounts": []}).sent, wait=0.6))
    with pytest.raises(itero.Timeout):
        accounts(make_client(read_timeout=0.2), endpoints)


def test_a_server_that_is_not_there_is_a_lost_connection(make_client: MakeClient, server: Script) -> None:
    from tests.itero.scripted_server import ScriptedServer

    gone = ScriptedServer()
    gone.stop()
    client = make_client()
    client = itero.Client(
        client.profile,
        itero.Server(gone.script.url, gone.script.url, gone.script.url),
        itero.Credentials("a", "b"),
        redirect_uri="https://lab.example/cb",
        allow_loopback=True,
    )
    with pytest.raises(itero.ConnectionLost):
        client.refresh_token(None, refresh_token=SECRET)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("-3", 0.0), ("999999999", 3600.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)]
)
def test_retry_after_is_read_and_capped(
    client: Client, endpoints: Endpoints, server: Script, header: str, seconds: float
) -> None:
    server.will(reply(429, b"", Retry_After=header))
    with pytest.raises(itero.RateLimited) as caught:
        accounts(client, endpoints)
    assert caught.value.retry_after == seconds


def test_an_unreadable_retry_after_is_no_waiting_time(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(reply(503, b"", Retry_After="soon"))
    with pytest.raises(itero.VendorUnavailable) as caught:
        accounts(client, endpoints)
    assert caught.value.retry_after is None


def test_an_error_carries_aligns_request_number(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(reply(500, b"", X_Request_Id="req-42"))
    with pytest.raises(itero.VendorUnavailable, match="request req-42"):
        accounts(client, endpoints)


@pytest.mark.parametrize(
    "answer",
    [
        reply(403, {"error": SECRET, "message": SECRET}, X_Request_Id=f"{SECRET} and a blank"),
        reply(200, f"<p>{SECRET}".encode(), Content_Type="text/html"),
        reply(302, b"", Location=f"https://elsewhere.example/{SECRET}"),
        reply(200, f'{{"accounts": "{SECRET}"'.encode()),
        Reply(b"", reset=True),
        Reply(SECRET.encode() + b"\r\n\r\n"),
    ],
    ids=["error body", "page", "redirect", "half json", "reset", "garbage"],
)
def test_no_failure_shows_a_token_or_text_from_the_answer(
    client: Client, endpoints: Endpoints, server: Script, answer: Reply
) -> None:
    server.will(answer)
    with pytest.raises(itero.IteroError) as caught:
        client.get_order_by_rx_id(endpoints, access_token=SECRET, rx_id=RX_ID)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(vars(caught.value))
    assert RX_ID not in shown
    assert SECRET not in shown


def test_an_error_of_an_order_call_names_the_call(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(reply(409))
    with pytest.raises(itero.Conflict, match=r"^return_to_doctor: conflict, status 409$"):
        client.return_to_doctor(endpoints, access_token="a", order_id="1", reason="r", comment="c")


def test_a_web_page_is_not_taken_for_a_successful_unpairing(
    client: Client, endpoints: Endpoints, server: Script
) -> None:
    server.will(reply(200, b"<h1>Maintenance</h1>", Content_Type="text/html"))
    with pytest.raises(itero.BadAnswer):
        client.unpair(endpoints, access_token="a", account_id="479")
