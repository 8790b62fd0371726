"""Orders are read tolerantly: what is absent is absent, what is odd does not break the rest."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from connector import itero
from connector.itero import Asset, Client, Endpoints, Order, Profile
from connector.itero.order_reader import read_order
from connector.itero.profile_sections import Formats
from connector.itero.reading import day, identifier, moment, text, whole, yes
from tests.itero.scripted_server import Script, reply

BARE = {"orderId": 123, "rxId": "rx", "status": "Ready for Download"}


def test_a_bare_order_has_everything_else_absent(profile: Profile) -> None:
    assert read_order(BARE, profile) == Order("123", "rx", "Ready for Download")


def test_unknown_fields_and_statuses_are_kept_out_of_the_way(profile: Profile) -> None:
    order = read_order({**BARE, "status": "Brand New Status", "surprise": {"x": 1}}, profile)
    assert order.status == "Brand New Status"


def test_a_full_order_is_read(profile: Profile) -> None:
    order = read_order(
        {
            **BARE,
            "patient": {"firstName": " Ada ", "lastName": "Null", "chartNumber": -1},
            "dueDate": "2026-12-01",
            "scanDate": "2026-11-20T14:03:11Z",
            "treatments": [{"tooth": "19", "treatment": "Crown", "shade": {"body": "A2"}}, "odd"],
            "assets": [{"type": "IDE", "size": 5, "ready": False}, {"type": "NEW", "size": -1}],
        },
        profile,
    )
    assert (order.patient_first, order.patient_last, order.chart_number) == ("Ada", "", "")
    assert (order.due_date, order.scan_date) == (date(2026, 12, 1), datetime(2026, 11, 20, 14, 3, 11, tzinfo=UTC))
    assert order.treatments == (itero.Treatment(tooth=19, treatment="Crown", body="A2"),)
    assert order.assets == (
        itero.OrderAsset(Asset.FULL, "IDE", 5, False),
        itero.OrderAsset(None, "NEW", None, True),
    )


def test_values_that_cannot_be_read_are_named(profile: Profile) -> None:
    odd = {**BARE, "dueDate": "soon", "notes": {"a": 1}, "procedure": None}
    assert read_order(odd, profile).unread == ("notes", "due_date")


@pytest.mark.parametrize("wrong", [[], "x", 5, True, {"firstName": ["x"]}])
def test_a_patient_of_the_wrong_shape_does_not_lose_the_order(profile: Profile, wrong: object) -> None:
    assert read_order({**BARE, "patient": wrong, "treatments": wrong, "assets": wrong}, profile).order_id == "123"


@pytest.mark.parametrize("value", ["", " ", "Null", "null", "-1", -1, None, True, [], 1.5])
def test_absent_values_are_empty(value: object) -> None:
    assert text(value) == ""


def test_text_that_a_database_cannot_store_is_cleaned() -> None:
    assert text("a\x00b\ud800c") == "abc"


@pytest.mark.parametrize("value", ["a b", "a\nb", "x" * 201, "\x1b"])
def test_an_id_with_blanks_control_characters_or_without_end_is_none(value: str) -> None:
    assert identifier(value) == ""


@pytest.mark.parametrize(
    ("value", "number"), [(19, 19), ("19", 19), (19.0, 19), ("-1", None), ("9" * 30, None), (True, None)]
)
def test_whole_numbers_are_read_from_number_and_text(value: object, number: int | None) -> None:
    assert whole(value) == number


@pytest.mark.parametrize(
    ("value", "expected"), [(True, True), ("false", False), (0, False), ("maybe", True), (None, True)]
)
def test_flags_are_read_with_a_default(value: object, expected: bool) -> None:
    assert yes(value, default=True) is expected


def test_dates_follow_the_profiles_formats() -> None:
    formats = Formats(("%m/%d/%Y",), ("%m/%d/%Y %H:%M:%S",), "America/New_York")
    assert day("12/01/2026", formats) == date(2026, 12, 1)
    assert moment("12/01/2026 08:00:00", formats) == datetime(2026, 12, 1, 13, 0, tzinfo=UTC)


@pytest.mark.parametrize("unset", ["0001-01-01T00:00:00", "0001-01-01", "9999-12-31T23:59:59.9999999", "9999-12-31"])
def test_a_date_that_nobody_entered_is_absent(profile: Profile, unset: str) -> None:
    """Some servers write the first or the last day there is. No time zone can be applied to it, so no page shows it."""
    order = read_order({**BARE, "dueDate": unset, "scanDate": unset}, profile)
    assert (order.due_date, order.scan_date) == (None, None)


def test_a_due_day_is_not_moved_between_time_zones() -> None:
    assert day("2026-12-01T23:30:00-05:00", Formats(("iso",), ("iso",), "UTC")) == date(2026, 12, 1)


def test_another_order_than_the_one_asked_for_is_refused(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(reply(200, {**BARE, "rxId": "other"}))
    with pytest.raises(itero.BadAnswer, match="another order"):
        client.get_order_by_rx_id(endpoints, access_token="a", rx_id="rx")


def test_a_single_order_that_lacks_its_status_is_refused_by_name(
    client: Client, endpoints: Endpoints, server: Script
) -> None:
    server.will(reply(200, {"orderId": 1, "rxId": "rx"}))
    with pytest.raises(itero.BadAnswer, match="no status"):
        client.get_order_by_rx_id(endpoints, access_token="a", rx_id="rx")


def test_patient_data_does_not_show_in_an_orders_representation(profile: Profile) -> None:
    order = replace(read_order(BARE, profile), patient_last="ZZCANARY", notes="ZZCANARY")
    assert "ZZCANARY" not in repr(order)


def test_statuses_are_compared_without_regard_to_case(profile: Profile) -> None:
    assert not profile.statuses.has_files("scanning")
    assert profile.statuses.has_files("Something New")
    assert profile.statuses.may_be_modeling_result("LAB REVIEW")
