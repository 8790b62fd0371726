"""How this installation stands, on one page: each line is ok, look or bad, with a sentence on what to do.

Numbers, codes and states only: no patient's, person's or lab's name, and no secret.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.checks import Error, run_checks
from django.core.files.storage import storages
from django.db import DatabaseError, OperationalError
from django.db.models import Count
from django.utils import timezone
from django_q.models import OrmQ

from labportal.keeping import safe_mode
from labportal.keeping.backup import scan_folder
from labportal.keeping.doctor_database import clock, migrations, role_line, walls
from labportal.keeping.doctor_line import BAD, LOOK, OK, Line
from labportal.labs.routers import as_operator
from labportal.running import heartbeat
from labportal.running.liveness import answered_at, busy_workers

DISK_BAD, DISK_LOOK = 2 * 1024**3, 10 * 1024**3  # bytes; below the first no download is started
QUEUE_LOOK, QUEUE_BAD = 120.0, 900.0  # seconds that the oldest task waits
ANSWER_SECONDS = 120.0
CLUSTERS = {"portal": 300.0, "downloads": 4 * 3600.0}
PAIRING_TONES = {"needs_pairing": LOOK, "forbidden": LOOK}
PAIRING_WORDS = "A person of the lab presses Reconnect or Test on Connections."


def add_part(name: str, examine: Callable[[], Iterator[Line]]) -> None:
    """For apps above: what they know of themselves."""
    PARTS.append(_Part(name, examine))


@dataclass(frozen=True)
class _Part:
    name: str
    examine: Callable[[], Iterator[Line]]


def examine(names: Collection[str] = ()) -> list[Line]:
    """Every line, or those of some parts; one that can't be examined says so and does not hide the others."""
    lines: list[Line] = []
    for part in PARTS:
        if names and part.name not in names:
            continue
        try:
            lines += part.examine()
        except OperationalError:
            lines.append(Line(BAD, part.name, "no answer from the database", "Start it, or look at DATABASE_URL."))
        except (DatabaseError, OSError) as error:
            lines.append(Line(BAD, part.name, type(error).__name__, "Run migrate, and look at the rights of the role."))
    return lines


def _settings() -> Iterator[Line]:
    errors = [message for message in run_checks() if isinstance(message, Error)]
    profile = [error for error in errors if error.id == "pairing.E002"]
    for error in errors:
        if error not in profile:
            yield Line(
                BAD, "settings", f"{error.id}: {error.msg}", "docs/operations.md, Troubleshooting, has the table."
            )
    if errors == profile:
        yield Line(OK, "settings", "no check complains")
    yield Line(BAD, "profile", "unreadable", "Look at ITERO_PROFILE.") if profile else Line(OK, "profile", "readable")
    if not settings.SECURE:
        yield Line(LOOK, "address", "BASE_URL is not https", "Right for a demo or a trial; production needs https.")
    elif not settings.ITERO_CLIENT_ID:
        yield Line(
            LOOK, "address", "https, but Align's access data are missing", "Set ITERO_CLIENT_ID and the addresses."
        )
    else:
        yield Line(OK, "address", "https")


def _python() -> Iterator[Line]:
    # No older one comes so far: the code does not load there.
    yield Line(OK, "python", ".".join(map(str, sys.version_info[:3])))


def _disk() -> Iterator[Line]:
    folder = Path(settings.SCANS_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    words = f"{free / 1e9:.1f} GB free"
    if free < DISK_BAD:
        yield Line(BAD, "disk", words, "Make room: below 2 GB no download is started.")
    elif free < DISK_LOOK:
        yield Line(LOOK, "disk", words, "Make room soon: a download needs three times its size.")
    else:
        yield Line(OK, "disk", words)


def _scan_store() -> Iterator[Line]:
    root = scan_folder()
    if root is None:
        yield _bucket()
        return
    staging = Path(settings.SCANS_DIR) / "staging"
    places = [path if path.exists() else path.parent for path in (root / "labs", staging)]
    try:
        for place in places:
            with tempfile.TemporaryFile(dir=place):
                pass
    except OSError as error:
        yield Line(BAD, "scan store", f"not writable ({os.strerror(error.errno or 0)})", "Look at SCANS_DIR's owner.")
        return
    if len({place.stat().st_dev for place in places}) > 1:
        yield Line(BAD, "scan store", "staging lies on another file system", "Storing is a rename: put both on one.")
    else:
        yield Line(OK, "scan store", "writable, on one file system with staging")


def _bucket() -> Line:
    try:
        storages["scans"].listdir("labs/doctor")  # a bucket that there is not would be no file that there is not
    except OSError as error:
        words = "Look at SCANS_STORAGE_OPTIONS, at the bucket, and at what its key may do."
        return Line(BAD, "scan store", f"the bucket does not answer ({error})", words)
    return Line(OK, "scan store", "the bucket answers; manage.py verify reads every zip")


def _queue() -> Iterator[Line]:
    waiting = OrmQ.objects.count()
    if not waiting:
        yield Line(OK, "queue", "empty")
        return
    oldest = OrmQ.objects.order_by("pk")[0]
    started: Any = oldest.task.get("started")
    age = (timezone.now() - started).total_seconds() if started else 0.0
    words = f"{waiting} tasks, the oldest waits {age:.0f} s"
    if not started:
        yield Line(
            LOOK, "queue", f"{waiting} tasks, signed with another key", "A new SECRET_KEY? They will be dropped."
        )
    elif age > QUEUE_LOOK:
        tone = BAD if age > QUEUE_BAD else LOOK
        yield Line(tone, "queue", words, "Is a worker running? See the lines below and its log.")
    else:
        yield Line(OK, "queue", words)


def _worker() -> Iterator[Line]:
    for cluster, longest in CLUSTERS.items():
        name, answered = f"worker {cluster}", answered_at(cluster)
        age = time.time() - answered
        if age < ANSWER_SECONDS:
            yield Line(OK, name, f"answered {max(age, 0):.0f} s ago")
        elif busy_workers(cluster, longest=longest):
            yield Line(OK, name, "busy")
        elif not answered:
            yield Line(LOOK, name, "never answered on this machine", "Start manage.py worker, if it belongs here.")
        else:
            yield Line(
                BAD, name, f"last answered {age / 60:.0f} min ago", "Start manage.py worker and look at its log."
            )


def _signs_of_life() -> Iterator[Line]:
    """Of all machines, by the database: a worker's supervisor beats each 15 s, and the tick each minute."""
    ages, trouble = heartbeat.ages(), heartbeat.trouble()
    said = ", ".join(f"{name} {age.total_seconds():.0f} s ago" for name, age in sorted(ages.items()))
    if trouble:
        yield Line(BAD, "signs of life", f"{trouble} ({said})", "Start manage.py worker and look at its log.")
    else:
        yield Line(OK if ages else LOOK, "signs of life", said or "none yet", "" if ages else "Start manage.py worker.")


def _pairings() -> Iterator[Line]:
    rows = apps.get_model("pairing", "Pairing")._default_manager
    with as_operator():
        states = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    for state, number in sorted(states.items()):
        tone = PAIRING_TONES.get(state, OK)
        yield Line(tone, "connections", f"{number} {state}", PAIRING_WORDS if tone == LOOK else "")
    if not states:
        yield Line(OK, "connections", "none yet")


def _safe_mode() -> Iterator[Line]:
    if safe_mode.is_on():
        yield Line(
            LOOK, "safe mode", "on: nothing is asked of Align", "manage.py leave_safe_mode, when all looks right."
        )
    else:
        yield Line(OK, "safe mode", "off")


PARTS = [
    _Part("settings", _settings),
    _Part("python", _python),
    _Part("database role", role_line),
    _Part("walls", walls),
    _Part("migrations", migrations),
    _Part("clock", clock),
    _Part("disk", _disk),
    _Part("scan store", _scan_store),
    _Part("queue", _queue),
    _Part("worker", _worker),
    _Part("signs of life", _signs_of_life),
    _Part("connections", _pairings),
    _Part("safe mode", _safe_mode),
]
