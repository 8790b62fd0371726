"""Keeps both task clusters working: pings each end to end, and kills and restarts a group that no longer answers.

A cluster can stop for ever while all its processes live: a worker killed while idle held the queue's read lock
(measured). So "alive" means that a ping task came through. A cluster whose every worker is busy is not pinged, and a
database that does not answer is nobody's fault.

It also beats for all machines to see, and rings for a tick that is late: one unreadable row in the queue's table of
schedules stops all schedules (measured).
"""

import logging
import time
from dataclasses import dataclass
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, close_old_connections

from labportal.doorbell import ring, ring_tick
from labportal.env import BASE_DIR
from labportal.running import heartbeat
from labportal.running.leftovers import remember
from labportal.running.liveness import answered_at, busy_workers, forget_busy
from labportal.running.processes import Processes, python

log = logging.getLogger(__name__)

BEAT_EVERY, RING_EVERY = 15.0, 60.0  # seconds
NEVER = float("-inf")
TICK_LATE = timedelta(seconds=90)


@dataclass
class Cluster:
    """One django-q cluster; `timeout` is its longest task, `waiting_since` the oldest ping without an answer and
    `pinged_at` the last one, by the clock that nobody sets: a wall clock that is set back by an hour would mean an hour
    without pings. `answered` is when the last answer came, as its file says."""

    name: str
    workers: int
    timeout: float
    waiting_since: float | None = None
    pinged_at: float = NEVER
    answered: float = 0.0


class Supervisor:
    """`ping_every` and `stale_after` in seconds; more machines answer each other's pings, so allow for their number."""

    def __init__(self, clusters: list[Cluster], *, ping_every: float, stale_after: float) -> None:
        self.clusters = clusters
        self.children = Processes({})
        self.ping_every, self.stale_after = ping_every, stale_after
        self._beat_at = self._rung_at = NEVER

    def start(self, cluster: Cluster) -> None:
        forget_busy(cluster.name)  # those of the group that has ended: a new one may have the same process numbers
        command = python(str(BASE_DIR / "manage.py"), "qcluster")
        self.children.start(cluster.name, command, Q_CLUSTER_NAME=cluster.name)
        remember([child.pid for child in self.children.running.values()])
        cluster.waiting_since = None

    def watch(self) -> None:
        """One round; call it every half second."""
        if time.monotonic() - self._beat_at >= BEAT_EVERY:
            self._beat_at = time.monotonic()
            self._beat()
        for cluster in self.clusters:
            if self.children.running[cluster.name].poll() is not None:
                log.error("cluster_ended %s", cluster.name)
                self._restart(cluster)
            elif self._is_stale(cluster, time.monotonic()):
                log.error("cluster_stale %s", cluster.name)
                self._restart(cluster)

    def _restart(self, cluster: Cluster) -> None:
        self.children.stop(cluster.name, patience=0)
        self.start(cluster)

    def _is_stale(self, cluster: Cluster, now: float) -> bool:
        answered = answered_at(cluster.name)
        if answered != cluster.answered:
            cluster.answered, cluster.waiting_since = answered, None
        if busy_workers(cluster.name, longest=cluster.timeout + 60) >= cluster.workers:
            cluster.waiting_since = None
            return False
        if now - cluster.pinged_at >= self.ping_every:
            cluster.pinged_at = now
            if not self._ping(cluster):
                cluster.waiting_since = None
            elif cluster.waiting_since is None:
                cluster.waiting_since = now
        return cluster.waiting_since is not None and now - cluster.waiting_since > self.stale_after

    def _beat(self) -> None:
        """A sign of life; and a tick: at the start, and when the schedule brought none for a minute and a half."""
        try:
            close_old_connections()
            heartbeat.beat(heartbeat.WORKER)
            late = self._rung_at == NEVER or heartbeat.ages().get(heartbeat.TICK, timedelta.max) > TICK_LATE
            if late and time.monotonic() - self._rung_at > RING_EVERY:
                self._rung_at = time.monotonic()
                ring_tick()
        except (DatabaseError, InterfaceError) as error:
            log.error("no_beat %s", type(error).__name__)

    def _ping(self, cluster: Cluster) -> bool:
        """False while the database does not answer."""
        try:
            close_old_connections()
            ring("labportal.running.liveness.answer", cluster.name, cluster=cluster.name)
        except (DatabaseError, InterfaceError):
            return False
        return True

    def stop(self, *, patience: float) -> None:
        """SIGTERM to all, then wait; what is not done by then is killed, and found again by the sweep."""
        for process in self.children.running.values():
            process.terminate()
        for cluster in self.clusters:
            self.children.stop(cluster.name, patience=patience)
