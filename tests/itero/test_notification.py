"""A scan notification may come from anyone: only an RxID and an account number are taken from it."""

import pytest

from connector.itero import BadNotification, Profile, ScanNotification, read_notification


@pytest.mark.parametrize("key", ["rxId", "RxId", "RXID", "rxid"])
def test_the_rx_id_is_found_in_any_case(profile: Profile, key: str) -> None:
    assert read_notification(f'{{"{key}": "abc-1"}}'.encode(), profile) == ScanNotification("abc-1", None)


@pytest.mark.parametrize("number", ["479", '"479"'])
def test_the_account_number_is_taken_as_text(profile: Profile, number: str) -> None:
    body = f'{{"rxId": "abc", "accountNumber": {number}, "more": [1]}}'.encode()
    assert read_notification(body, profile).account_id == "479"


def test_a_byte_order_mark_does_no_harm(profile: Profile) -> None:
    assert read_notification(b'\xef\xbb\xbf{"rxId": "abc"}', profile).rx_id == "abc"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"abc"',
        b"rxId=abc",
        b"{",
        b'{"rxId": ""}',
        b'{"rxId": null}',
        b'{"rxId": ["a"]}',
        b'{"rxId": {"a": 1}}',
        b'{"rxId": "a b"}',
        b'{"rxId": "a\\u0000\\nb"}',
        b'{"rxId": NaN}',
        b"\xff\xff",
        b'{"order": "abc"}',
        b'{"rxId": "a", "accountNumber": ["479"]}',
        b'{"rxId": "a", "accountNumber": "4 7"}',
        b"[" * 10_000,
        b'{"rxId": "a", "x": "' + b"y" * 16_384 + b'"}',
        b'{"rxId": true}',
    ],
)  # fmt: skip - a table
def test_anything_else_is_refused(profile: Profile, body: bytes) -> None:
    with pytest.raises(BadNotification):
        read_notification(body, profile)
