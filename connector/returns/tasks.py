"""Doors for the task queue."""

from uuid import UUID

from connector.returns import sending
from labportal.doors import door


@door
def send(lab_id: str, return_id: str) -> None:
    """Tell Align of one return."""
    sending.send(UUID(lab_id), UUID(return_id))
