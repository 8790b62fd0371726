"""Doors for the task queue."""

from uuid import UUID

from connector.returns import services
from labportal.doors import door


@door
def send(lab_id: str, return_id: str) -> None:
    """Tell Align of one return."""
    services.send(UUID(lab_id), UUID(return_id))
