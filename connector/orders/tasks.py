"""Door for the task queue. It may run twice, late, or never: the sweep finds what is due."""

from connector.orders import recheck as rechecking
from labportal.doors import door


@door
def recheck() -> None:
    """Hash the stored zips whose last look is oldest (cluster `downloads`)."""
    rechecking.turn()
