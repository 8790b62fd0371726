"""Whether the background work goes on, as every process of every machine can see: rows with the time of a beat.

`worker` is written by a worker's supervisor, `tick` by the tick itself: the way through schedule, queue, process and
database. All by the database's clock, so that a machine's wrong clock hides nothing.
"""

from datetime import timedelta

from django.db import connection

WORKER, TICK = "worker", "tick"
LEAP, REST = timedelta(days=7), timedelta(days=1)
# The supervisor beats each 15 s, the tick runs each minute; but tasks of five minutes may stand before it.
RECENT, LONGEST_TASKS = timedelta(minutes=2), timedelta(minutes=7)
WORKER_DOWN, QUEUE_STUCK = "worker_down", "queue_stuck"


def beat(name: str) -> None:
    """Note that `name` lives, now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO running_heartbeat (name, at) VALUES (%s, now())"
            " ON CONFLICT (name) DO UPDATE SET at = excluded.at",
            [name],
        )


def claim(name: str, every: timedelta) -> bool:
    """Whether it is this process's turn to do what is done once in `every`, among all processes; it is then noted."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO running_heartbeat AS h (name, at) VALUES (%s, now())"
            " ON CONFLICT (name) DO UPDATE SET at = excluded.at WHERE h.at <= now() - %s * interval '1 second'"
            " RETURNING 1",
            [name, every.total_seconds()],
        )
        return cursor.fetchone() is not None


def beat_of_tick() -> None:
    """The first thing that a tick does."""
    beat(TICK)


# The last beat is longer ago than any weekend, or still to come.
NOTE_LEAP = """
INSERT INTO running_heartbeat (name, at) SELECT %(noted)s, now() FROM running_heartbeat
 WHERE name = %(name)s AND (at < now() - %(leap)s * interval '1 day' OR at > now() + interval '1 minute')
ON CONFLICT (name) DO UPDATE SET at = excluded.at
"""
HAS_LEAPT = """
SELECT EXISTS (SELECT FROM running_heartbeat
 WHERE name = %(name)s AND (at < now() - %(leap)s * interval '1 day' OR at > now() + interval '1 minute')
    OR name = %(noted)s AND at > now() - %(rest)s * interval '1 day')
"""


def beat_steadily(name: str) -> None:
    """Beat, and note it if the last beat is LEAP ago: nothing ran for so long, or the clock leapt."""
    with connection.cursor() as cursor:
        cursor.execute(NOTE_LEAP, {"name": name, "noted": f"{name}_leapt", "leap": LEAP.days})
    beat(name)


def leapt(name: str) -> bool:
    """Whether the time by which `name` works leapt within the last REST, or does so just now."""
    with connection.cursor() as cursor:
        cursor.execute(HAS_LEAPT, {"name": name, "noted": f"{name}_leapt", "leap": LEAP.days, "rest": REST.days})
        return bool((cursor.fetchone() or (False,))[0])


def ages() -> dict[str, timedelta]:
    """How long ago each last beat was; one that never beat is not in it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, greatest(now() - at, interval '0') FROM running_heartbeat WHERE name IN (%s, %s)",
            [WORKER, TICK],
        )
        return dict(cursor.fetchall())


def is_late() -> bool:
    """Whether no tick has come for two minutes, although one (or a worker) has before."""
    found = ages()
    return bool(found) and found.get(TICK, timedelta.max) > RECENT


def trouble() -> str:
    """WORKER_DOWN, QUEUE_STUCK or ''. A portal on which nothing ever beat is new: nothing is said of it."""
    found = ages()
    ticked, worked = found.get(TICK, timedelta.max), found.get(WORKER, timedelta.max)
    if not found or ticked <= RECENT:
        return ""
    if worked > RECENT:
        return WORKER_DOWN
    return QUEUE_STUCK if ticked > LONGEST_TASKS else ""
