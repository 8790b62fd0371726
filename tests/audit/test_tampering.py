"""10,000 entries, 1,000 tamperings by a superuser who switches the triggers off: every one is found.

Each runs in a transaction that is rolled back. Twenty chains of 500, so that one check is short; an anchor was taken
after the last entry.
"""

import io
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction

from labportal.audit import anchors
from labportal.audit.anchors import Anchored
from labportal.audit.chain import entry_hash, genesis
from labportal.audit.context import Actor, acting
from labportal.audit.models import Entry
from labportal.audit.services import Act, _write
from labportal.audit.verify import verify
from tests import database

CHAINS, LENGTH, TAMPERINGS, SEED = 20, 500, 1000, 20261124
COLUMNS = {
    "hash": "%s", "previous": "%s", "chain": "gen_random_uuid()", "seq": "seq + 1000000",
    "at": "at + interval '1 microsecond'", "actor_kind": "'operator'", "actor_id": "gen_random_uuid()",
    "actor_code": "'x'", "action": "'case.deleted'", "object_type": "'x'", "object_id": "'x'",
    "facts": "'{\"count\": 7}'", "ip": "'198.51.100.1'",
}  # fmt: skip


@dataclass
class Forger:
    """A superuser inside one transaction, for whom no trigger and no policy counts."""

    chain: uuid.UUID
    luck: random.Random
    cursor: Any

    def run(self, sql: str, *values: object) -> None:
        self.cursor.execute(sql, values)
        assert self.cursor.rowcount > 0, "this tampering changed nothing"

    def place(self, first: int = 1, last: int = LENGTH) -> int:
        return self.luck.randint(first, last)

    def entry(self, place: int) -> Entry:
        return Entry.objects.using("operator").get(chain=self.chain, seq=place)

    def insert(self, entry: Entry) -> None:
        self.run(
            "INSERT INTO audit_entry (hash, previous, chain, seq, at, actor_kind, actor_id, actor_code, action,"
            " object_type, object_id, facts, ip) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            entry.hash, entry.previous, entry.chain, entry.seq, entry.at, entry.actor_kind, entry.actor_id,
            entry.actor_code, entry.action, entry.object_type, entry.object_id, entry.facts, entry.ip,
        )  # fmt: skip

    def move_head(self, place: int, last: str) -> None:
        self.run("UPDATE audit_head SET seq = %s, hash = %s WHERE chain = %s", place, last, self.chain)


# A way to tamper: it does it, and says which entry the check must name as the first that is broken.
Way = Callable[[Forger], int]


def change_a_column(forger: Forger) -> int:
    column, place = forger.luck.choice(list(COLUMNS)), forger.place()
    values = [f"{forger.luck.getrandbits(256):064x}"] if COLUMNS[column] == "%s" else []
    forger.run(
        f"UPDATE audit_entry SET {column} = {COLUMNS[column]} WHERE chain = %s AND seq = %s",
        *values, forger.chain, place,
    )  # fmt: skip
    return place


def delete_a_row(forger: Forger) -> int:
    place = forger.place()
    forger.run("DELETE FROM audit_entry WHERE chain = %s AND seq = %s", forger.chain, place)
    return place


def delete_a_row_and_close_the_gap(forger: Forger) -> int:
    place = forger.place(1, LENGTH - 1)
    forger.run("DELETE FROM audit_entry WHERE chain = %s AND seq = %s", forger.chain, place)
    forger.run("UPDATE audit_entry SET seq = -seq WHERE chain = %s AND seq > %s", forger.chain, place)
    forger.run("UPDATE audit_entry SET seq = -seq - 1 WHERE chain = %s AND seq < 0", forger.chain)
    forger.move_head(LENGTH - 1, forger.entry(LENGTH - 1).hash)
    return place


def swap_two(forger: Forger) -> int:
    one, other = forger.luck.sample(range(1, LENGTH + 1), 2)
    forger.run("UPDATE audit_entry SET seq = -1 WHERE chain = %s AND seq = %s", forger.chain, one)
    forger.run("UPDATE audit_entry SET seq = %s WHERE chain = %s AND seq = %s", one, forger.chain, other)
    forger.run("UPDATE audit_entry SET seq = %s WHERE chain = %s AND seq = -1", other, forger.chain)
    return min(one, other)


def cut_the_tail(forger: Forger) -> int:
    last = forger.place(0, LENGTH - 1)
    forger.run("DELETE FROM audit_entry WHERE chain = %s AND seq > %s", forger.chain, last)
    return last + 1


def cut_the_tail_and_move_the_head_back(forger: Forger) -> int:
    """The chain that is left is whole; only the anchor outside knows better."""
    last = forger.place(0, LENGTH - 1)
    forger.run("DELETE FROM audit_entry WHERE chain = %s AND seq > %s", forger.chain, last)
    forger.move_head(last, forger.entry(last).hash if last else genesis(forger.chain))
    return last + 1


def forget_the_whole_chain(forger: Forger) -> int:
    forger.run("DELETE FROM audit_entry WHERE chain = %s", forger.chain)
    forger.run("DELETE FROM audit_head WHERE chain = %s", forger.chain)
    return 1


def add_a_row_behind_the_last(forger: Forger) -> int:
    entry = forger.entry(LENGTH)
    entry.previous, entry.seq = entry.hash, LENGTH + 1
    entry.hash = entry_hash(entry)
    forger.insert(entry)
    return LENGTH + 1


def put_a_row_in_between(forger: Forger) -> int:
    place = forger.place(2)
    entry = forger.entry(place)
    forger.run("UPDATE audit_entry SET seq = -seq WHERE chain = %s AND seq >= %s", forger.chain, place)
    forger.run("UPDATE audit_entry SET seq = -seq + 1 WHERE chain = %s AND seq < 0", forger.chain)
    entry.action = "case.invented"
    entry.hash = entry_hash(entry)
    forger.insert(entry)
    forger.move_head(LENGTH + 1, forger.entry(LENGTH + 1).hash)
    return fits_so_the_next_tells(place)


def fits_so_the_next_tells(place: int) -> int:
    """Hashed anew, an entry fits the one before: the one behind does not fit it, and at the end the anchor."""
    return min(place + 1, LENGTH)


def rewrite_the_head(forger: Forger) -> int:
    place = forger.luck.choice([LENGTH, LENGTH + 1, forger.place()])
    forger.move_head(place, f"{forger.luck.getrandbits(256):064x}")
    return LENGTH if place == LENGTH else min(LENGTH, place) + 1


def delete_the_head(forger: Forger) -> int:
    forger.run("DELETE FROM audit_head WHERE chain = %s", forger.chain)
    return 1


def change_a_row_and_hash_it_again(forger: Forger) -> int:
    entry = forger.entry(forger.place())
    old, entry.action = entry.hash, "case.invented"
    forger.run("UPDATE audit_entry SET action = %s, hash = %s WHERE hash = %s", entry.action, entry_hash(entry), old)
    if entry.seq == LENGTH:
        forger.move_head(LENGTH, entry_hash(entry))
    return fits_so_the_next_tells(entry.seq)


def change_a_row_and_hash_all_that_follow(forger: Forger) -> int:
    """Every link fits again, and the head too; only the anchor outside knows better."""
    place = forger.place(LENGTH - 20)
    before = forger.entry(place).previous
    for at in range(place, LENGTH + 1):
        entry = forger.entry(at)
        old, entry.previous = entry.hash, before
        if at == place:
            entry.action = "case.invented"
        before = entry_hash(entry)
        forger.run(
            "UPDATE audit_entry SET action = %s, previous = %s, hash = %s WHERE hash = %s",
            entry.action, entry.previous, before, old,
        )  # fmt: skip
    forger.move_head(LENGTH, before)
    return LENGTH


WAYS: list[Way] = [
    change_a_column, delete_a_row, delete_a_row_and_close_the_gap, swap_two, cut_the_tail,
    cut_the_tail_and_move_the_head_back, forget_the_whole_chain, add_a_row_behind_the_last, put_a_row_in_between,
    rewrite_the_head, delete_the_head, change_a_row_and_hash_it_again, change_a_row_and_hash_all_that_follow,
]  # fmt: skip
NEED_THE_ANCHOR = {
    cut_the_tail_and_move_the_head_back, forget_the_whole_chain, change_a_row_and_hash_all_that_follow,
}  # fmt: skip


@pytest.fixture
def superuser(committed: None) -> Iterator[None]:
    """The operator's alias logs in as one."""
    server, connection = database._prepared.server, connections["operator"]
    if server is None:
        pytest.skip("needs the embedded database: a server of one's own gives no superuser to tests")
    parts = urlsplit(server.superuser_url)
    before = {key: connection.settings_dict[key] for key in ("USER", "PASSWORD")}
    connection.close()
    connection.settings_dict.update(USER=unquote(parts.username or ""), PASSWORD=unquote(parts.password or ""))
    yield
    connection.close()
    connection.settings_dict.update(before)


@pytest.fixture
def chains(superuser: None, settings: Any, tmp_path: Any) -> tuple[list[uuid.UUID], Anchored]:
    settings.AUDIT_ANCHORS_DIR = tmp_path / "anchors"
    made = [uuid.uuid4() for _ in range(CHAINS)]
    with acting(Actor("person", uuid.uuid4())):
        for chain in made:
            _write([Act(chain, "person", uuid.uuid4(), "", f"case.act{n}", "orders.order", str(n), "{}", "203.0.113.1")
                    for n in range(LENGTH)])  # fmt: skip
    anchors.anchor()
    return made, anchors.load()


def tamper(way: Way, chain: uuid.UUID, luck: random.Random, check: Callable[[], Any]) -> tuple[int, Any]:
    """Which entry must be named, and what the check says; afterwards it is undone."""
    with transaction.atomic(using="operator"), connections["operator"].cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        expected = way(Forger(chain, luck, cursor))
        found = check()
        transaction.set_rollback(True, using="operator")
    return expected, found


def test_each_of_a_thousand_tamperings_is_found_at_its_place(chains: tuple[list[uuid.UUID], Anchored]) -> None:
    made, anchored = chains
    assert [verify(chain, anchored[chain]).length for chain in made] == [LENGTH] * CHAINS
    assert all(not verify(chain, anchored[chain]).broken for chain in made)
    luck, missed = random.Random(SEED), []
    for number in range(TAMPERINGS):
        way, chain = WAYS[number % len(WAYS)], luck.choice(made)
        expected, found = tamper(way, chain, luck, partial(verify, chain, anchored[chain]))
        if not found.broken or found.seq != expected:
            missed.append(f"{number}: {way.__name__}: {found.broken or 'whole'} at {found.seq}, not {expected}")
    assert missed == []
    assert all(not verify(chain, anchored[chain]).broken for chain in made), "the tamperings were undone"


def test_the_command_names_the_lab_and_the_first_broken_entry(chains: tuple[list[uuid.UUID], Anchored]) -> None:
    """Each way once; all chains are walked for the first of them, which finds no other one broken."""
    made, luck = chains[0], random.Random(SEED)
    for number, way in enumerate(WAYS):
        chain = luck.choice(made)
        check = partial(command) if number == 0 else partial(command, "--chain", str(chain))
        expected, (failed, said) = tamper(way, chain, luck, check)
        assert said.startswith(f"lab {chain}: BROKEN at entry {expected} ("), way.__name__
        assert (said.count("BROKEN"), "chains are broken. Keep the database as it is" in failed) == (1, True)


def command(*arguments: str) -> tuple[str, str]:
    """With what `verify_audit` ends, '' when all is whole; and what it says of broken chains."""
    errors = io.StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=io.StringIO(), stderr=errors)
    except CommandError as failed:
        return str(failed), errors.getvalue()
    return "", errors.getvalue()


def test_without_an_anchor_only_a_consistent_forgery_is_not_found(chains: tuple[list[uuid.UUID], Anchored]) -> None:
    """The control: the anchors are needed for exactly these, and all else the chain and its head find alone."""
    chain = chains[0][0]
    found = {way: tamper(way, chain, random.Random(SEED), partial(verify, chain, {}))[1] for way in WAYS}
    assert {way for way in WAYS if not found[way].broken} == NEED_THE_ANCHOR
