"""Named places in the code where a test lets the process die, fail, wait or run out of disk. Inert in production.

`FAULT=download.after_fsync:kill` is read only while FAULTS_ALLOWED is on, which a system check refuses at an https
address. Several are separated by commas; a number counts the passings: `poll.after_list:raise:3` acts at the third one
only, `…:*` at each, and without a number at the first. `sleep` takes seconds: `store.after_rename:sleep=2`.
"""

import errno
import os
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass

# In the order in which a case passes them; what has happened by then stands in docs/reliability.md.
POINTS: dict[str, str] = {
    "notification.before_commit": "the push is written, not committed",
    "notification.after_commit": "the push is committed, Align has no 202 yet",
    "look_up.after_take": "pushes are taken, Align is not asked yet",
    "look_up.after_answer": "Align has answered, the order is not recorded",
    "look_up.after_record": "the order is recorded, the push is not done",
    "poll.after_turn": "the turn is taken and the next one set, Align is not asked yet",
    "poll.after_list": "a page of the list is here, none of it is recorded",
    "poll.after_record": "one order of the list is recorded, the next is not",
    "poll.after_end": "the run has ended, nobody has rung for the downloads",
    "record.before_commit": "order and revision are written, not committed",
    "claim.before_commit": "the revision is claimed, not committed",
    "claim.after_commit": "the revision is claimed, nothing is asked",
    "download.after_answer": "Align gives the zip out, no byte of it is here",
    "download.after_piece": "a piece of the zip is written",
    "download.before_fsync": "the last byte is written, not fsynced",
    "download.after_fsync": "the zip is durable, not checked",
    "download.after_check": "the zip is checked, the row does not know it",
    "store.after_upload": "the zip is where the store can take it, the row does not know it",
    "store.after_state": "STORED is written, the zip has no final name",
    "store.after_rename": "the zip has its final name, its folder is not fsynced",
    "store.after_event": "the outgoing event is written, not committed",
    "store.before_commit": "all is written and rung for, not committed",
    "store.after_commit": "STORED is committed, nobody has rung for the next one",
    "resume.after_copy": "a broken download is copied, the earlier part is still there",
    "reading.after_turn": "the reading is claimed",
    "reading.after_examine": "the child has read the zip, nothing is kept",
    "reading.after_previews": "previews are kept, the rows do not know them",
    "reading.before_commit": "files and teeth are written, not committed",
    "repair.after_aside": "a damaged zip is put aside, the row counts it as stored",
    "refresh.before_call": "the row is locked, Align is not asked for new tokens",
    "refresh.after_rotation": "Align has ended the old tokens, the new ones are not stored",
    "refresh.before_commit": "the new tokens are written, not committed",
    "return.after_claim": "the return is claimed, Align is not told",
    "return.after_told": "Align has the return, the row does not know it",
    "return.before_commit": "SENT is written, not committed",
}
ACTIONS = ("kill", "raise", "sleep", "enospc")
EACH = 0


class UnknownFault(ValueError):
    """FAULT names no point or no action that there is."""


class InjectedFault(Exception):
    """What `raise` raises: an error that no code expects."""

    code = "injected_fault"


@dataclass(frozen=True)
class Wanted:
    """One entry of FAULT; `passing` counts from 1, EACH = every time."""

    action: str
    seconds: float
    passing: int


class Armed:
    """What was ordered, and how often each point was passed since, in this process."""

    def __init__(self, text: str) -> None:
        self.wanted = dict(_read(entry.strip()) for entry in text.split(",") if entry.strip())
        self.passed: Counter[str] = Counter()
        self.acted = 0
        self._lock = threading.Lock()

    def pass_by(self, point: str) -> None:
        if point not in POINTS:
            raise UnknownFault(f"there is no fault point {point!r}")
        with self._lock:
            self.passed[point] += 1
            count = self.passed[point]
        wanted = self.wanted.get(point)
        if wanted is not None and wanted.passing in (EACH, count):
            self.acted += 1
            _act(wanted)


_armed: Armed | None = None


def fault(point: str) -> None:
    """A named place; nothing but one comparison while none is armed."""
    if _armed is not None:
        _armed.pass_by(point)


def arm(text: str) -> Armed:
    """Arm this process; an empty text only counts the passings. Errors: UnknownFault."""
    global _armed
    _armed = Armed(text)
    return _armed


def disarm() -> None:
    global _armed
    _armed = None


def _read(entry: str) -> tuple[str, Wanted]:
    point, _, rest = entry.partition(":")
    action, _, passing = rest.partition(":")
    name, _, seconds = action.partition("=")
    if point not in POINTS or name not in ACTIONS:
        raise UnknownFault(f"FAULT={entry}: point:{'|'.join(ACTIONS)}, and a point is one of {', '.join(POINTS)}")
    try:
        return point, Wanted(name, float(seconds or 1), EACH if passing == "*" else int(passing or 1))
    except ValueError:
        raise UnknownFault(f"FAULT={entry}: seconds and passings are numbers") from None


def _act(wanted: Wanted) -> None:
    if wanted.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif wanted.action == "raise":
        raise InjectedFault
    elif wanted.action == "sleep":
        time.sleep(wanted.seconds)
    else:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
