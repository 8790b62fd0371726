"""Ringing the task queue. A ring may be lost, late or doubled: the truth is in our tables, and `tick` finds it again.

Arguments are ids only: the queue stores them in clear. Enqueued inside a transaction, the ring is part of it.
"""

from django_q.tasks import async_task


def ring(task: str, *ids: object, cluster: str | None = None) -> None:
    """Ask a worker to run `task` (a dotted path) with ids as text."""
    options = {"cluster": cluster} if cluster else {}
    async_task(task, *(str(value) for value in ids), q_options=options)


def ring_tick() -> None:
    """Look for due work now, not at the next minute."""
    ring("labportal.tick.tick")
