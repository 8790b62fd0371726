"""Rotation of a thousand pairings' keys while workers read and refresh: nothing fails, and no fresh token is lost."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from django.db import connections, transaction
from django.utils import timezone

from connector.itero import TokenSet
from connector.pairing import rotation
from connector.pairing.access import access_for, call, refresh
from connector.pairing.models import Pairing
from connector.pairing.trouble import lock
from labportal.labs.tenancy import in_lab
from labportal.rotation import Rotated, rotate_all
from labportal.sealing import SealError, seal
from tests.align import again, pair_lab
from tests.pairing.at_once import at_once

ROWS = 1000


def key(name: str) -> str:
    return f"{name}:{Fernet.generate_key().decode()}"


def tokens(name: str) -> TokenSet:
    return TokenSet(access_token=f"access-{name}", refresh_token=f"refresh-{name}", expires_in=3600)


def make_pairings(cast: Any, endpoints: dict[str, Any]) -> list[tuple[UUID, UUID]]:
    """Half of them lab A's, half lab B's; each with tokens of its own."""
    made = []
    for lab in (cast.lab_a, cast.lab_b):
        rows = []
        for number in range(ROWS // 2):
            pairing = Pairing(lab=lab, account_id=f"{lab.slug}{number}", account_name="Load", endpoints=endpoints)
            pairing.set_tokens(tokens(pairing.account_id), timezone.now() + timedelta(hours=1))
            rows.append(pairing)
        with in_lab(lab.pk):
            Pairing.objects.bulk_create(rows)
        made += [(lab.pk, pairing.pk) for pairing in rows]
    return made


@contextmanager
def meanwhile(*works: Callable[[int], None]) -> Iterator[tuple[list[int], list[BaseException]]]:
    """Each work in a thread of its own, over and over, until the block ends; (rounds of each, what was raised)."""
    stop, rounds, failed = threading.Event(), [0] * len(works), list[BaseException]()

    def repeat(place: int, work: Callable[[int], None]) -> None:
        try:
            for number in count():
                if stop.is_set():
                    return
                work(number)
                rounds[place] = number + 1
        except Exception as error:
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=repeat, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    try:
        yield rounds, failed
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_thousand_pairings_rotate_under_load_and_none_fails(anna, align, cast, settings):
    old, new = settings.TOKEN_KEYS, key("new")
    real = pair_lab(anna, align, "479")
    rows = make_pairings(cast, real.endpoints)
    written: dict[UUID, str] = {}

    def read(number: int) -> None:
        lab_id, pairing_id = rows[number * 7 % ROWS]
        assert access_for(lab_id, pairing_id).access_token.startswith("access-")

    def refresh_row(number: int) -> None:
        """As a refresh does, without Align: under the lock, a new set over the old one."""
        lab_id, pairing_id = rows[-1 - number * 13 % ROWS]
        with in_lab(lab_id):
            pairing = lock(lab_id, pairing_id)
            assert pairing.tokens.access_token.startswith("access-")
            pairing.set_tokens(tokens(f"refreshed-{number}"), timezone.now() + timedelta(hours=1))
            pairing.save(update_fields=["sealed_tokens", "access_expires_at"])
        written[pairing_id] = f"access-refreshed-{number}"

    def refresh_at_align(number: int) -> None:
        used = access_for(real.lab_id, real.pk).access_token
        assert refresh(real.lab_id, real.pk, refused_token=used).access_token != used

    settings.TOKEN_KEYS = [new, *old]
    with meanwhile(read, read, refresh_row, refresh_row_of(refresh_row), refresh_at_align) as (rounds, failed):
        time.sleep(0.2)
        first = rotate_all()
    assert failed == []
    assert (first.broken, first.busy) == (0, 0)
    assert min(rounds) >= 3, rounds  # the load was real
    settings.TOKEN_KEYS = [new]
    assert rotate_all() == Rotated(0, 0, 0)  # nothing was left under the old key
    opened = {}
    for lab_id, pairing_id in rows:
        with in_lab(lab_id):
            pairing = Pairing.objects.of(lab_id).get(pk=pairing_id)
        opened[pairing_id] = pairing.tokens.access_token
    assert {row: opened[row] for row in written} == written
    assert align.truth()["tokens"]["reuse"] == 0
    call(real.lab_id, real.pk, lambda a: list(a.client.get_orders(a.endpoints, access_token=a.access_token)))


def refresh_row_of(work: Callable[[int], None]) -> Callable[[int], None]:
    """The same work elsewhere in the list, so that two do not write one row."""
    return lambda number: work(number * 2 + 100_000)


# --- what holds it together


def refreshed_meanwhile(pairing: Pairing) -> None:
    """Another worker's refresh, committed from a connection of its own."""

    def write() -> None:
        with transaction.atomic(), in_lab(pairing.lab_id):
            row = lock(pairing.lab_id, pairing.pk)
            row.set_tokens(tokens("fresh"), timezone.now() + timedelta(hours=1))
            row.save(update_fields=["sealed_tokens"])

    [done] = at_once(write)
    done.result()


def test_without_the_row_lock_a_fresh_token_would_be_lost(paired, settings, monkeypatch):
    """The control: read without the lock, a refresh between read and write is written over."""

    def unlocked(lab_id: UUID, pairing_id: UUID) -> Pairing:
        row = Pairing.objects.of(lab_id).get(pk=pairing_id)
        refreshed_meanwhile(row)
        return row

    monkeypatch.setattr(rotation, "lock", unlocked)
    settings.TOKEN_KEYS = [key("new"), *settings.TOKEN_KEYS]
    rotate_all()
    assert again(paired).tokens.access_token != "access-fresh"


def test_a_row_that_is_being_refreshed_is_tried_again_and_does_not_stop_the_others(anna, align, settings):
    slow, other = pair_lab(anna, align, "479"), pair_lab(anna, align, "480")
    settings.TOKEN_KEYS = [key("new"), *settings.TOKEN_KEYS]
    held, order = threading.Event(), []

    def hold() -> None:
        with in_lab(slow.lab_id):
            lock(slow.lab_id, slow.pk)
            held.set()
            time.sleep(1)
            order.append("released")

    def rotate() -> Rotated:
        held.wait()
        found = rotate_all()
        order.append("rotated")
        return found

    _, rotated = at_once(hold, rotate)
    assert rotated.result() == Rotated(2, 0, 0)
    assert order == ["released", "rotated"]
    assert again(other).sealed_tokens.startswith("new:")


def test_every_sealed_value_copied_elsewhere_is_refused(anna, bruno, align):
    """Tokens, to another row of the lab, to another lab's row; and what another column of the same row would seal."""
    mine, second, theirs = pair_lab(anna, align, "479"), pair_lab(anna, align, "480"), pair_lab(bruno, align, "512")
    for target in (second, theirs):
        target.sealed_tokens = mine.sealed_tokens
        with pytest.raises(SealError, match="foreign"):
            _ = target.tokens
    mine.sealed_tokens = seal({"verifier": "v"}, lab_id=mine.lab_id, owner_id=mine.pk)
    with pytest.raises(SealError, match="foreign"):
        _ = mine.tokens
