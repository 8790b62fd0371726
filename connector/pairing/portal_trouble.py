"""What ails the whole portal, so that no pairing can bring anything in."""

from labportal.keeping import safe_mode
from labportal.running import heartbeat


def portal_trouble() -> str:
    """A reason code, '' when all is well: safe_mode, worker_down, queue_stuck. Costs two small queries."""
    return "safe_mode" if safe_mode.is_on() else heartbeat.trouble()
