"""How an entry is hashed, as the database's `audit.append` does it; here once more, to check it independently.

SHA-256 over `length:value` of each field, joined by commas; lengths in bytes of UTF-8. The first entry's `previous` is
a hash of the chain's own id, so that one lab's chain can't stand in for another's.
"""

import hashlib
from datetime import UTC
from uuid import UUID

from labportal.audit.models import Entry


def genesis(chain: UUID) -> str:
    """What stands before a chain's first entry, in hex."""
    return hashlib.sha256(f"labportal audit {chain}".encode()).hexdigest()


def entry_hash(entry: Entry) -> str:
    """The hash that this entry's columns must have, in hex."""
    parts = (
        entry.previous,
        str(entry.chain),
        str(entry.seq),
        entry.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        entry.actor_kind,
        str(entry.actor_id or ""),
        entry.actor_code,
        entry.action,
        entry.object_type,
        entry.object_id,
        entry.facts,
        entry.ip,
    )
    return hashlib.sha256(",".join(f"{len(part.encode())}:{part}" for part in parts).encode()).hexdigest()
