"""Door for the task queue. It may run twice, late, or never: the sweep finds what is due."""

from uuid import UUID

from connector.retention import sweep
from labportal.doors import door


@door
def remove_due(lab_id: str) -> None:
    """Remove what the lab's retention says, and the bytes of what was removed."""
    sweep.remove_due(UUID(lab_id))
