"""A restored portal asks nothing of Align until it is told to."""

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.utils import timezone

from connector.intake.poll import poll
from connector.orders.models import Revision
from connector.pairing.access import PairingStopped, access_for, refresh
from connector.pairing.disconnect import finish_unpair
from connector.pairing.models import Pairing, State
from connector.retention.models import RetentionPolicy
from connector.retention.sweep import remove_due
from labportal.keeping import safe_mode
from labportal.labs.models import User
from labportal.labs.tenancy import in_lab
from tests.align import again, calls_in_order, change, pair_lab, words_on
from tests.cast import Cast
from tests.labportal.machine import Machine, keep
from tests.retention.keeping import age, keep_for
from tests.simulator.launch import Simulator


@pytest.fixture
def restored(cast: Cast, machine: Machine, align: Simulator, client_of: Callable[[User], Client]) -> Pairing:
    """Lab A's connection with a running Align, restored; its access token has run out, so a call would refresh."""
    pairing = pair_lab(client_of(cast.anna), align, "479")
    change(pairing, access_expires_at=timezone.now() - timedelta(hours=1), next_due=timezone.now())
    machine.backup()
    machine.move()
    machine.restore()
    return pairing


def test_in_safe_mode_nothing_goes_to_align(restored: Pairing, align: Simulator) -> None:
    before = calls_in_order(align)
    for ask in (access_for, refresh):
        with pytest.raises(PairingStopped) as stopped:
            ask(restored.lab_id, restored.pk)
        assert stopped.value.code == "safe_mode"
    run = poll(restored.lab_id, restored.pk)
    assert run is not None
    assert run.reason == "safe_mode"
    assert calls_in_order(align) == before


def test_in_safe_mode_a_connection_that_is_being_ended_waits(restored: Pairing, align: Simulator) -> None:
    change(restored, state=State.UNPAIRING)
    before = calls_in_order(align)
    assert not finish_unpair(restored.lab_id, restored.pk)
    assert calls_in_order(align) == before
    assert again(restored).state == State.UNPAIRING


def test_every_page_says_so(restored: Pairing, cast: Cast, client_of: Callable[[User], Client]) -> None:
    assert "restored from a backup and is in safe mode" in words_on(client_of(cast.vera), "/")


def test_web_and_worker_cannot_end_it(restored: Pairing) -> None:
    with connections["default"].cursor() as cursor, pytest.raises(Exception, match="permission denied"):
        cursor.execute("DELETE FROM running_safemode")
    assert safe_mode.is_on()


def test_leaving_it_asks_every_lab_to_sign_in_again(restored: Pairing, align: Simulator) -> None:
    before = calls_in_order(align)
    call_command("leave_safe_mode", stdout=io.StringIO())
    assert not safe_mode.is_on()
    assert (again(restored).state, again(restored).reason) == (State.NEEDS_PAIRING, "restored")
    with pytest.raises(PairingStopped):
        access_for(restored.lab_id, restored.pk)
    assert calls_in_order(align) == before


def test_with_keep_tokens_the_restored_sign_in_is_used_again(restored: Pairing, align: Simulator) -> None:
    before = calls_in_order(align)
    call_command("leave_safe_mode", "--keep-tokens", stdout=io.StringIO())
    assert access_for(restored.lab_id, restored.pk).access_token
    assert again(restored).state == State.ACTIVE
    assert calls_in_order(align) != before


def test_no_rule_removes_a_case_in_safe_mode_nor_for_a_day_after_it(cast: Cast, machine: Machine) -> None:
    """A hold that was put after the backup was made is not in it: the owner has time to put it again."""
    kept = keep(cast.lab_a, machine.folder, "114582239")
    keep_for(cast.lab_a, 365)
    age(cast.lab_a, "114582239", 366)
    machine.backup()
    machine.move()
    machine.restore()
    assert remove_due(cast.lab_a.pk) == 0
    said = io.StringIO()
    call_command("leave_safe_mode", stdout=said)
    assert "put legal holds again" in said.getvalue()
    assert remove_due(cast.lab_a.pk) == 0
    with in_lab(cast.lab_a.pk):
        policies = RetentionPolicy.objects.of(cast.lab_a)
        assert policies.get().starts_at > timezone.now() + timedelta(hours=23)
        assert Revision.objects.of(cast.lab_a).get(pk=kept.pk).has_files
        policies.update(starts_at=timezone.now())
    assert remove_due(cast.lab_a.pk) == 1, "the control: the rule goes on"
