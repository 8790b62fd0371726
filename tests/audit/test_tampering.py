"""10,000 entries, 1,000 tamperings by a superuser who switches the triggers off: every one is found.

Each runs in a transaction that is rolled back. Twenty chains of 500, so that one check is short; an anchor was taken
after the last entry.
"""

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
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


def change_a_column(forger: Forger) -> None:
    column = forger.luck.choice(list(COLUMNS))
    values = [f"{forger.luck.getrandbits(256):064x}"] if COLUMNS[column] == "%s" else []
    forger.run(
        f"UPDATE audit_entry SET {column} = {COLUMNS[column]} WHERE chain = %s AND seq = %s",
        *values, forger.chain, forger.place(),
    )  # fmt: skip


def delete_a_row(forger: Forger) -> None:
    forger.run("DELETE FROM audit_entry WHERE chain = %s AND seq = %s", forger.chain, forger.place())


def delete_a_row_and_close_the_gap(forger: Forger) -> None:
    place = forger.place(1, LENGTH - 1)
    forger.run("DELETE FROM audit_entry WHERE chain = %s AND seq = %s", forger.chain, place)
    forger.run("UPDATE audit_entry SET seq = -seq WHERE chain = %s AND seq > %s", forger.chain, place)
    forger.run("UPDATE audit_entry SET seq = -seq - 1 WHERE chain = %s AND seq < 0", forger.chain)
    forger.move_head(LENGTH - 1, forger.entry(LENGTH - 1).hash)


def swap_two(forger: Forger) -> None:
    one, other = forger.luck.sample(range(1, LENGTH + 1), 2)
    forger.run("UPDATE audit_entry SET seq = -1 WHERE chain = %s AND seq = %s", forger.chain, one)
    forger.run("UPDATE audit_entry SET seq = %s WHERE chain = %s AND seq = %s", one, forger.chain, other)
    forger.run("UPDATE audit_entry SET seq = %s WHERE chain = %s AND seq = -1", other, forger.chain)


def cut_the_tail(forger: Forger) -> None:
    forger.run("DELETE FROM audit_entry WHERE chain = %s AND seq > %s", forger.chain, forger.place(0, LENGTH - 1))


def cut_the_tail_and_move_the_head_back(forger: Forger) -> None:
    """The chain that is left is whole; only the anchor outside knows better."""
    last = forger.place(0, LENGTH - 1)
    forger.run("DELETE FROM audit_entry WHERE chain = %s AND seq > %s", forger.chain, last)
    forger.move_head(last, forger.entry(last).hash if last else genesis(forger.chain))


def forget_the_whole_chain(forger: Forger) -> None:
    forger.run("DELETE FROM audit_entry WHERE chain = %s", forger.chain)
    forger.run("DELETE FROM audit_head WHERE chain = %s", forger.chain)


def add_a_row_behind_the_last(forger: Forger) -> None:
    entry = forger.entry(LENGTH)
    entry.previous, entry.seq = entry.hash, LENGTH + 1
    entry.hash = entry_hash(entry)
    forger.insert(entry)


def put_a_row_in_between(forger: Forger) -> None:
    place = forger.place(2)
    entry = forger.entry(place)
    forger.run("UPDATE audit_entry SET seq = -seq WHERE chain = %s AND seq >= %s", forger.chain, place)
    forger.run("UPDATE audit_entry SET seq = -seq + 1 WHERE chain = %s AND seq < 0", forger.chain)
    entry.action = "case.invented"
    entry.hash = entry_hash(entry)
    forger.insert(entry)
    forger.move_head(LENGTH + 1, forger.entry(LENGTH + 1).hash)


def rewrite_the_head(forger: Forger) -> None:
    place = forger.luck.choice([LENGTH, LENGTH + 1, forger.place()])
    forger.move_head(place, f"{forger.luck.getrandbits(256):064x}")


def delete_the_head(forger: Forger) -> None:
    forger.run("DELETE FROM audit_head WHERE chain = %s", forger.chain)


def change_a_row_and_hash_it_again(forger: Forger) -> None:
    entry = forger.entry(forger.place())
    old, entry.action = entry.hash, "case.invented"
    forger.run("UPDATE audit_entry SET action = %s, hash = %s WHERE hash = %s", entry.action, entry_hash(entry), old)
    if entry.seq == LENGTH:
        forger.move_head(LENGTH, entry_hash(entry))


def change_a_row_and_hash_all_that_follow(forger: Forger) -> None:
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


WAYS: list[Callable[[Forger], None]] = [
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


def tamper(way: Callable[[Forger], None], chain: uuid.UUID, luck: random.Random, known: dict[int, str]) -> str:
    """What the check says of it, '' for whole; afterwards it is undone."""
    with transaction.atomic(using="operator"), connections["operator"].cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        way(Forger(chain, luck, cursor))
        found = verify(chain, known)
        transaction.set_rollback(True, using="operator")
    return found.broken


def test_each_of_a_thousand_tamperings_is_found(chains: tuple[list[uuid.UUID], Anchored]) -> None:
    made, anchored = chains
    assert [verify(chain, anchored[chain]).length for chain in made] == [LENGTH] * CHAINS
    assert all(not verify(chain, anchored[chain]).broken for chain in made)
    luck, missed = random.Random(SEED), []
    for number in range(TAMPERINGS):
        way = WAYS[number % len(WAYS)]
        chain = luck.choice(made)
        if not tamper(way, chain, luck, anchored[chain]):
            missed.append(f"{number}: {way.__name__}")
    assert missed == []
    assert all(not verify(chain, anchored[chain]).broken for chain in made), "the tamperings were undone"


def test_without_an_anchor_only_a_consistent_forgery_is_not_found(chains: tuple[list[uuid.UUID], Anchored]) -> None:
    """The control: the anchors are needed for exactly these, and all else the chain and its head find alone."""
    unseen = {way for way in WAYS if not tamper(way, chains[0][0], random.Random(SEED), {})}
    assert unseen == NEED_THE_ANCHOR
