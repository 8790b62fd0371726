"""Doors for the task queue: ids in, call the service. Any of them may run twice, late, or never."""

from uuid import UUID

from connector.intake import fetch, reading
from connector.intake import look_up as looking_up
from connector.intake import poll as polling
from connector.intake import purge as purging
from connector.intake import reconcile as reconciling
from labportal.doors import door


@door
def poll(lab_id: str, pairing_id: str) -> None:
    """Look at Align's list once, if it is due."""
    polling.poll(UUID(lab_id), UUID(pairing_id))


@door
def look_up(lab_id: str, pairing_id: str) -> None:
    """Look up the pairing's waiting notifications."""
    looking_up.look_up(UUID(lab_id), UUID(pairing_id))


@door
def route_unrouted() -> None:
    """Find the pairing of notifications that named none."""
    looking_up.route_unrouted()


@door
def download(lab_id: str, pairing_id: str) -> None:
    """Fetch the pairing's next due revision (cluster `downloads`)."""
    fetch.fetch_next(UUID(lab_id), UUID(pairing_id))


@door
def examine(lab_id: str, revision_id: str) -> None:
    """Read a stored revision's files."""
    reading.read_revision(UUID(lab_id), UUID(revision_id))


@door
def reconcile(lab_id: str, pairing_id: str, user_id: str = "") -> None:
    """Compare what Align shows with what is here; `user_id` is the person who asked for it."""
    reconciling.reconcile(UUID(lab_id), UUID(pairing_id), by=UUID(user_id) if user_id else None)


@door
def purge(lab_id: str) -> None:
    """Clear away a lab's old runs and dealt-with notifications."""
    purging.purge(UUID(lab_id))
