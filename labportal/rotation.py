"""Re-sealing under the newest key while the portal runs; each app that keeps sealed texts says which rows hold them."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import OperationalError, connection
from psycopg import errors

from labportal.sealing import SealError

Job = Callable[[], bool]  # one row in its own short transaction; whether it was sealed anew
Jobs = Callable[[], Iterable[Job]]
_apps: list[Jobs] = []

LOCK_WAIT = "200ms"  # a row that is being refreshed is held for the time of a call to Align: others go first
GIVE_UP_SECONDS = 180.0  # a refresh ends sooner (connector/pairing/access.py)


@dataclass(frozen=True)
class Rotated:
    """Rows sealed anew; rows that can't be opened; rows that stayed in use all the time."""

    done: int
    broken: int
    busy: int


def on_rotation(jobs: Jobs) -> None:
    """Register an app's sealed rows."""
    _apps.append(jobs)


def rotate_all() -> Rotated:
    """Seal every row with the newest key. Safe to repeat; what is in use at the moment is tried again at the end."""
    ahead = [job for jobs in _apps for job in jobs()]
    done = broken = 0
    end = time.monotonic() + GIVE_UP_SECONDS
    while ahead and time.monotonic() < end:
        busy = []
        for job in ahead:
            try:
                done += job()
            except SealError:
                broken += 1
            except OperationalError as error:
                if not isinstance(error.__cause__, errors.LockNotAvailable):
                    raise
                busy.append(job)
        ahead = busy
    return Rotated(done, broken, len(ahead))


def dont_wait() -> None:
    """For the running transaction: a row that somebody else holds is left for later."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
