"""Two owners who remove each other in the same moment: one comes too late, and the lab keeps an owner."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from labportal.labs.models import Membership, Role
from labportal.labs.services import add_member
from labportal.labs.tenancy import in_lab
from labportal.people import members
from tests.cast import Cast

ROUNDS = 15


def at_once(cast: Cast) -> list[str]:
    """Both remove the other one; what came of it."""
    rows = [add_member(lab=cast.lab_a, user=user, role=Role.OWNER) for user in (cast.anna, cast.theo)]
    start = Barrier(2)

    def go(row: Membership) -> str:
        try:
            start.wait()
            members.remove(membership=row)
        except members.LastOwner:
            return "last"
        finally:
            connection.close()
        return "removed"

    with ThreadPoolExecutor(2) as pool:
        return sorted(pool.map(go, rows))


def owners(cast: Cast) -> int:
    with in_lab(cast.lab_a.pk):
        return Membership.objects.of(cast.lab_a).filter(role=Role.OWNER).count()


def test_of_two_owners_who_remove_each_other_one_stays(cast: Cast, committed: None) -> None:
    for _ in range(ROUNDS):
        assert at_once(cast) == ["last", "removed"]
        assert owners(cast) == 1


def test_without_the_lock_a_lab_can_lose_its_last_owner(
    cast: Cast, committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the same race, the owners counted without a lock."""
    monkeypatch.setattr(members, "locked_rows", lambda rows: rows)
    for _ in range(ROUNDS * 10):
        at_once(cast)
        if owners(cast) == 0:
            return
    pytest.fail("the race was never lost: the test above proves nothing")
