"""A download keeps to its declared length, resumes only the same file, and takes no page for a zip."""

import pytest

from connector import itero
from connector.itero import Asset, Client, Endpoints
from tests.itero.scripted_server import Reply, Script, reply

ZIP = bytes(range(256)) * 40
TAG = '"v1"'


def fetch(client: Client, endpoints: Endpoints, offset: int = 0, etag: str = "") -> tuple[bytes, int, int | None]:
    """Everything that came, the offset it starts at, and the whole file's size."""
    got, buffer = bytearray(), memoryview(bytearray(1000))
    call = client.download_order(endpoints, access_token="a", order_id="1", asset=Asset.FULL, offset=offset, etag=etag)
    with call as download:
        while count := download.readinto(buffer):
            got += buffer[:count]
        return bytes(got), download.offset, download.size


def zipped(body: bytes = ZIP, status: int = 200, **headers: str) -> Reply:
    return reply(status, body, **{"Content_Type": "application/zip", "ETag": TAG, **headers})


def part(start: int, **headers: str) -> Reply:
    return zipped(ZIP[start:], 206, **{"Content_Range": f"bytes {start}-{len(ZIP) - 1}/{len(ZIP)}", **headers})


def test_a_whole_file_comes_as_it_is(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(zipped())
    assert fetch(client, endpoints) == (ZIP, 0, len(ZIP))
    assert server.asked[0].headers["accept-encoding"] == "identity"


def test_a_file_of_unknown_length_comes_in_chunks(client: Client, endpoints: Endpoints, server: Script) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.will(Reply(head + f"{len(ZIP):x}\r\n".encode() + ZIP + b"\r\n0\r\n\r\n"))
    assert fetch(client, endpoints) == (ZIP, 0, None)


def test_chunks_that_stop_without_an_end_are_truncated(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(Reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"))
    with pytest.raises(itero.Truncated):
        fetch(client, endpoints)


def test_a_body_shorter_than_declared_is_truncated(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(zipped(Content_Length=str(len(ZIP) + 1)))
    with pytest.raises(itero.Truncated):
        fetch(client, endpoints)


@pytest.mark.parametrize("surplus", [1, 5000])
def test_a_body_longer_than_declared_is_a_bad_answer(
    client: Client, endpoints: Endpoints, server: Script, surplus: int
) -> None:
    server.will(zipped(Content_Length=str(len(ZIP) - surplus)))
    with pytest.raises(itero.BadAnswer, match="longer"):
        fetch(client, endpoints)


def test_a_reset_in_the_middle_is_retryable(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(Reply(zipped(Content_Length="99999").sent, reset=True))
    with pytest.raises(itero.RetryableError):
        fetch(client, endpoints)


def test_a_part_is_asked_for_with_the_version_it_belongs_to(
    client: Client, endpoints: Endpoints, server: Script
) -> None:
    server.will(part(4000))
    assert fetch(client, endpoints, 4000, TAG) == (ZIP[4000:], 4000, len(ZIP))
    headers = server.asked[0].headers
    assert (headers["range"], headers["if-range"]) == ("bytes=4000-", TAG)


def test_a_server_without_ranges_begins_anew_and_says_so(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(zipped())
    assert fetch(client, endpoints, 4000, TAG) == (ZIP, 0, len(ZIP))


@pytest.mark.parametrize("etag", ["", 'W/"v1"', "v1", '"v1"\r\nX: y'])
def test_without_a_strong_version_nothing_is_resumed(
    client: Client, endpoints: Endpoints, server: Script, etag: str
) -> None:
    server.will(zipped())
    assert fetch(client, endpoints, 4000, etag)[1] == 0
    assert "range" not in server.asked[0].headers


def test_an_offset_behind_the_end_begins_anew(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(reply(416), zipped())
    assert fetch(client, endpoints, 999_999, TAG) == (ZIP, 0, len(ZIP))


@pytest.mark.parametrize(
    "wrong",
    [
        part(4000, Content_Range=f"bytes 3999-{len(ZIP) - 1}/{len(ZIP)}"),
        part(4000, Content_Range=f"bytes 4000-{len(ZIP) - 1}/{len(ZIP) + 9}"),
        part(4000, Content_Range="bytes x"),
        part(4000, ETag='"v2"'),
        zipped(ZIP[4000:], 206),
    ],
    ids=["other start", "other length", "garbage", "other version", "no range"],
)
def test_another_part_than_asked_for_is_refused_before_a_byte(
    client: Client, endpoints: Endpoints, server: Script, wrong: Reply
) -> None:
    server.will(wrong)
    with pytest.raises(itero.BadAnswer):
        fetch(client, endpoints, 4000, TAG)


@pytest.mark.parametrize(
    "kind", ["text/html; charset=utf-8", "application/json", "application/problem+json", "text/plain"]
)
def test_a_page_or_message_is_not_taken_for_a_file(
    client: Client, endpoints: Endpoints, server: Script, kind: str
) -> None:
    server.will(zipped(Content_Type=kind))
    with pytest.raises(itero.BadAnswer):
        fetch(client, endpoints)


def test_a_packed_body_is_refused(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(zipped(Content_Encoding="gzip"))
    with pytest.raises(itero.BadAnswer):
        fetch(client, endpoints)


def test_a_file_that_align_no_longer_holds_is_gone(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(reply(410))
    with pytest.raises(itero.Gone):
        fetch(client, endpoints)
