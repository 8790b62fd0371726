"""Is the record whole? Each chain from its first entry to its head, and against the anchors outside the database."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from labportal.audit.anchors import Anchored
from labportal.audit.chain import entry_hash, genesis
from labportal.audit.models import Entry, Head

CHANGED, MISSING, UNLINKED = "changed", "missing", "unlinked"
CUT, HEAD, ANCHOR = "cut", "head", "anchor"
WORDS = {
    CHANGED: "the entry is not what was written",
    MISSING: "this entry is missing, or stands at another place",
    UNLINKED: "the entry does not follow the one before it",
    CUT: "the end of the chain is missing: an anchor outside the database knows a later entry",
    HEAD: "the chain's head does not name its last entry",
    ANCHOR: "the entry is not the one that was anchored outside the database",
}


@dataclass(frozen=True)
class Verdict:
    """One chain: `length` entries are as they were written; `broken` is the code of what is wrong first, '' when all is
    whole, and `seq` the place of the first entry that is not as it was, or not there."""

    chain: UUID
    length: int
    broken: str = ""
    seq: int = 0

    @property
    def words(self) -> str:
        return WORDS.get(self.broken, self.broken)


def chains(anchored: Anchored, *, using: str = "operator") -> list[UUID]:
    """Every chain that entries, heads or anchors know of."""
    known = set(Entry.objects.using(using).values_list("chain", flat=True).distinct().order_by())
    known |= set(Head.objects.using(using).values_list("chain", flat=True))
    return sorted(known | set(anchored))


def verify_all(anchored: Anchored, *, using: str = "operator") -> Iterator[Verdict]:
    """Each chain's verdict. Needs the operator's role, which reads every chain."""
    for chain in chains(anchored, using=using):
        yield verify(chain, anchored.get(chain, {}), using=using)


def verify(chain: UUID, anchors: dict[int, str], *, using: str = "operator") -> Verdict:
    """Walk one chain; `anchors` are the hashes known from outside, by place. The app's role (`using="default"`)
    can check the chain of the lab that its transaction names."""
    entries = Entry.objects.using(using).filter(chain=chain).order_by("seq")
    verdict, before = _walk(Verdict(chain, 0), genesis(chain), entries.iterator(chunk_size=2000), anchors)
    # Read after the entries, the head is never behind them; what was appended meanwhile is walked now.
    seq, last = _head(chain, using)
    if not verdict.broken and verdict.length < seq:
        rest = entries.filter(seq__gt=verdict.length, seq__lte=seq)
        verdict, before = _walk(verdict, before, rest.iterator(chunk_size=2000), anchors)
    if verdict.broken:
        return verdict
    if verdict.length < max(anchors, default=0):
        return Verdict(chain, verdict.length, CUT, verdict.length + 1)
    if (verdict.length, before) != (seq, last):
        return Verdict(chain, verdict.length, HEAD, _not_vouched_for(verdict.length, seq))
    return verdict


def _not_vouched_for(length: int, seq: int) -> int:
    """The first entry that the head does not know, or that it knows and is not there; of the same length, the last."""
    return length if length == seq else min(length, seq) + 1


def _head(chain: UUID, using: str) -> tuple[int, str]:
    """The app's role asks the database's function; it can't read the table."""
    if using == "default":
        with connection.cursor() as cursor:
            cursor.execute("SELECT seq, hash FROM audit.heads() WHERE chain = %s", [chain])
            found = cursor.fetchone()
    else:
        found = Head.objects.using(using).filter(pk=chain).values_list("seq", "hash").first()
    return found or (0, genesis(chain))


def _walk(so_far: Verdict, before: str, entries: Iterable[Entry], anchors: dict[int, str]) -> tuple[Verdict, str]:
    """Go on from `so_far`, whose last hash is `before`, to the end or to the first fault."""
    place = so_far.length
    for entry in entries:
        if broken := _fault(entry, place + 1, before, anchors):
            return Verdict(so_far.chain, place, broken, place + 1), before
        place, before = entry.seq, entry.hash
    return Verdict(so_far.chain, place), before


def _fault(entry: Entry, place: int, before: str, anchors: dict[int, str]) -> str:
    if entry.seq != place:
        return MISSING
    if entry.previous != before:
        return UNLINKED
    if entry_hash(entry) != entry.hash:
        return CHANGED
    return ANCHOR if anchors.get(place, entry.hash) != entry.hash else ""
