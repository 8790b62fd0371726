"""A connection that stopped, or fell silent, is told to the lab's owners by one mail: once, and until it is out."""

import socket
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from django_q.models import OrmQ

from connector.pairing import alarm_mail, alarms, vendor
from connector.pairing.alarm import Alarm
from connector.pairing.models import Pairing, State
from connector.pairing.trouble import lock, wait_for_person
from labportal.labs.models import Membership, Role
from labportal.labs.tenancy import in_lab
from labportal.running import heartbeat
from labportal.running.models import SafeMode
from labportal.tick import tick
from tests.align import again, change, come_back, log_in, start_connecting, words_on
from tests.intake.desk import queued, work
from tests.orders.make import make_pairing
from tests.pairing.at_once import at_once


@pytest.fixture
def pairing(committed: None, cast: Any) -> Pairing:
    """Lab A's, looked at a moment ago."""
    now = timezone.now()
    return make_pairing(cast.lab_a, "479", paired_at=now - timedelta(days=3), succeeded_at=now)


def stop(pairing: Pairing, code: str = "invalid_grant") -> None:
    """Align no longer accepts the sign-in."""
    with in_lab(pairing.lab_id):
        wait_for_person(lock(pairing.lab_id, pairing.pk), State.NEEDS_PAIRING, code)


def look(pairing: Pairing) -> None:
    alarms.look(pairing.lab_id, pairing.pk)


def rows(pairing: Pairing) -> list[Alarm]:
    """Newest first."""
    with in_lab(pairing.lab_id):
        return list(Alarm.objects.of(pairing.lab_id).filter(pairing=pairing).select_related("pairing", "lab"))


def update_alarm(pairing: Pairing, **values: Any) -> None:
    with in_lab(pairing.lab_id):
        Alarm.objects.of(pairing.lab_id).filter(ended_at=None).update(**values)


def silence(pairing: Pairing, minutes: float, **values: Any) -> None:
    change(pairing, succeeded_at=timezone.now() - timedelta(minutes=minutes), **values)


# --- one that stopped ---------------------------------------------------------------------------------------------


def test_the_owners_get_one_mail_when_a_connection_stops(pairing, mails):
    stop(pairing)
    work()
    assert [mail["to"] for mail in mails.all()] == ["anna@example.com"]
    assert mails.subjects() == ["Lab portal: “Test account” must be connected to Align again"]


def test_the_mail_says_what_happened_what_it_means_and_what_to_do(pairing, mails, settings):
    stop(pairing)
    work()
    words = " ".join(mails.text().split())
    assert "can no longer fetch cases of “Test account” (Align account 479) for Lab A." in words
    assert "Align no longer accepts our sign-in." in words
    assert "Nothing is lost: the cases wait at Align" in words
    assert "press “Reconnect” beside “Test account”. It takes a minute, and the waiting cases come in by " in words
    assert f"{settings.BASE_URL}/connections/" in words


def test_a_real_refusal_of_align_comes_to_the_owner_as_a_mail(paired, align, mails):
    OrmQ.objects.all().delete()
    vendor.client().revoke_token(paired.vendor_endpoints, token=paired.tokens.refresh_token)
    change(paired, next_due=timezone.now(), access_expires_at=timezone.now())
    tick()
    work()
    assert again(paired).state == State.NEEDS_PAIRING
    assert len(mails.all()) == 1
    assert paired.tokens.refresh_token not in mails.text()


def test_all_owners_get_it_and_nobody_else(pairing, mails, cast):
    with in_lab(cast.lab_a.pk):
        Membership.objects.of(cast.lab_a).filter(user=cast.theo).update(role=Role.OWNER)
    try:
        stop(pairing)
        work()
        assert [mail["to"] for mail in mails.all()] == ["anna@example.com, theo@example.com"]
    finally:
        with in_lab(cast.lab_a.pk):
            Membership.objects.of(cast.lab_a).filter(user=cast.theo).update(role=Role.TECHNICIAN)


def test_eight_workers_at_once_send_one(pairing, mails):
    stop(pairing)
    done = at_once(*[lambda: look(pairing)] * 8)
    assert [task.exception() for task in done] == [None] * 8
    assert len(mails.all()) == 1


def test_without_the_claim_the_same_eight_send_more(pairing, mails, monkeypatch):
    """The control of the test above: it is the claim that makes the difference."""
    stop(pairing)
    look(pairing)
    (alarm,) = rows(pairing)
    done = at_once(*[lambda: alarm_mail.send(alarm)] * 8)
    assert [task.result() for task in done] == [1] * 8
    assert len(mails.all()) == 9


def test_connections_says_that_the_owners_were_told(paired, anna, mails):
    assert "Owners told by mail" not in words_on(anna)
    stop(paired)
    work()
    assert "Owners told by mail just now" in words_on(anna)


def test_reconnect_is_not_offered_where_it_cannot_help(paired, anna):
    """A sign-in does not wake a dead worker; another cause may need one."""
    silence(paired, 40, paired_at=timezone.now() - timedelta(days=2))
    assert f"{paired.pk}/reconnect" in anna.get("/connections/").content.decode()
    heartbeat.beat(heartbeat.WORKER)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE running_heartbeat SET at = now() - interval '1 hour'")
    assert f"{paired.pk}/reconnect" not in anna.get("/connections/").content.decode()


def test_later_ticks_send_no_second_one(pairing, mails):
    stop(pairing)
    for _ in range(3):
        tick()
        work()
    assert len(mails.all()) == 1


def test_a_lost_ring_is_found_by_the_tick(pairing, mails):
    stop(pairing)
    OrmQ.objects.all().delete()
    tick()
    assert "alarm" in queued()
    work()
    assert len(mails.all()) == 1


def test_a_stop_that_is_rolled_back_tells_nobody(pairing, mails):
    with suppress(ZeroDivisionError), in_lab(pairing.lab_id):
        wait_for_person(lock(pairing.lab_id, pairing.pk), State.NEEDS_PAIRING, "invalid_grant")
        raise ZeroDivisionError
    tick()
    work()
    assert mails.all() == []


def test_one_that_stops_again_after_a_reconnect_is_told_again(paired, anna, mails):
    stop(paired)
    work()
    come_back(anna, log_in(start_connecting(anna, paired)))
    assert again(paired).state == State.ACTIVE
    OrmQ.objects.all().delete()  # no look at it meanwhile
    stop(paired)
    work()
    assert len(mails.all()) == 2
    assert [row.ended_at is None for row in rows(paired)] == [True, False]


def test_a_reconnect_ends_the_alarm_without_a_mail(paired, anna, mails):
    stop(paired)
    work()
    come_back(anna, log_in(start_connecting(anna, paired)))
    OrmQ.objects.all().delete()
    alarms.ring_due()
    work()
    assert len(mails.all()) == 1
    (row,) = rows(paired)
    assert row.ended_at is not None


def test_another_labs_owner_hears_nothing(pairing, mails, cast):
    make_pairing(cast.lab_b, "512", succeeded_at=timezone.now())
    stop(pairing)
    tick()
    work()
    assert "bruno" not in "".join(str(mail["to"]) for mail in mails.all())


# --- when the mail server fails -----------------------------------------------------------------------------------


@pytest.fixture
def dead_server(settings: Any) -> int:
    """SMTP at a port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    return port


def test_a_mail_that_could_not_be_sent_is_tried_again_until_it_is_out(pairing, dead_server, request):
    stop(pairing)
    work()
    (row,) = rows(pairing)
    assert (row.told_at, row.attempts, row.mail_error) == (None, 1, "ConnectionRefusedError")
    assert timedelta(seconds=25) < row.next_due - timezone.now() < timedelta(seconds=80)
    tick()
    assert "alarm" not in queued()  # not before its time
    update_alarm(pairing, next_due=timezone.now())
    mails = request.getfixturevalue("mails")
    tick()
    work()
    assert len(mails.all()) == 1
    (row,) = rows(pairing)
    assert (row.told, row.attempts, row.mail_error) == (1, 2, "")
    assert row.told_at is not None


def test_a_worker_that_dies_after_sending_leaves_a_second_mail_that_is_known_as_the_same(pairing, mails, monkeypatch):
    def die_after(alarm: Alarm) -> int:
        alarm_mail.send(alarm)
        raise KeyboardInterrupt

    stop(pairing)
    with monkeypatch.context() as patched:
        patched.setattr(alarms, "send", die_after)
        with pytest.raises(KeyboardInterrupt):
            look(pairing)
    look(pairing)
    assert len(mails.all()) == 1  # the dead one's claim holds for minutes
    update_alarm(pairing, next_due=F("next_due") - alarms.CLAIM)
    look(pairing)
    assert len(mails.all()) == 2
    assert len({mail["message-id"] for mail in mails.all()}) == 1


def test_a_lab_without_an_owner_is_told_when_it_has_one(pairing, mails, cast):
    with in_lab(cast.lab_a.pk):
        Membership.objects.of(cast.lab_a).filter(user=cast.anna).update(role=Role.VIEWER)
    try:
        stop(pairing)
        work()
        assert [row.mail_error for row in rows(pairing)] == ["no_owner"]
    finally:
        with in_lab(cast.lab_a.pk):
            Membership.objects.of(cast.lab_a).filter(user=cast.anna).update(role=Role.OWNER)
    update_alarm(pairing, next_due=timezone.now())
    tick()
    work()
    assert len(mails.all()) == 1


def test_a_name_with_line_breaks_cannot_write_headers_of_the_mail(pairing, mails):
    change(pairing, account_name="Lab\r\nBcc: eve@example.com")
    stop(pairing)
    work()
    (mail,) = mails.all()
    assert mail["bcc"] is None
    assert "Lab Bcc: eve@example.com" in mail["subject"]


# --- one that fell silent -----------------------------------------------------------------------------------------


def test_half_an_hour_without_a_look_is_told_with_its_cause(pairing, mails):
    silence(pairing, 31, reason="vendor_unavailable")
    tick()
    work()
    assert mails.subjects()[0].startswith("Lab portal: no new cases from “Test account” since ")
    words = " ".join(mails.text().split())
    assert "Align's server has a problem." in words
    assert "the portal takes up its work by itself" in words


@pytest.mark.parametrize(
    ("minutes", "seconds", "mails_sent"), [(29, 300, 0), (31, 300, 1), (31, 3600, 0), (183, 3600, 1)]
)
def test_how_long_is_too_long_goes_by_the_setting_and_by_three_looks(pairing, mails, minutes, seconds, mails_sent):
    silence(pairing, minutes, poll_seconds=seconds)
    tick()
    work()
    assert len(mails.all()) == mails_sent


def test_a_silence_is_told_once_and_the_next_one_again(pairing, mails):
    for _ in range(2):
        silence(pairing, 40)
        for _ in range(2):
            tick()
            work()
        change(pairing, succeeded_at=timezone.now())
        tick()
        work()
    assert len(mails.all()) == 2
    assert all(row.ended_at for row in rows(pairing))


def test_one_that_stops_during_a_silence_is_told_as_stopped_too(pairing, mails):
    silence(pairing, 40)
    tick()
    work()
    stop(pairing)
    work()
    assert [row.kind for row in rows(pairing)] == ["stopped", "silent"]
    assert len(mails.all()) == 2


@pytest.mark.parametrize("state", [State.UNPAIRED, State.UNPAIRING, State.CONNECTING])
def test_one_that_is_not_looked_at_is_not_silent(pairing, mails, state):
    silence(pairing, 400, state=state)
    tick()
    work()
    assert mails.all() == []


def test_a_restored_copy_tells_nobody(pairing, mails):
    """It may be a drill beside the portal that works."""
    silence(pairing, 400)
    SafeMode.objects.using("owner").create(since=timezone.now())
    tick()
    work()
    look(pairing)
    assert mails.all() == []


def test_without_a_worker_the_same_is_told_by_who_looks(pairing, mails):
    heartbeat.beat(heartbeat.WORKER)
    silence(pairing, 40, reason="timeout")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE running_heartbeat SET at = now() - interval '1 hour'")
    alarms.look_at_due()
    assert "The portal's background worker is not running." in mails.text()
    assert rows(pairing)[0].code == "worker_down"
