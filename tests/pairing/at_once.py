"""Real threads with connections of their own, as the workers have."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")


def at_once(*jobs: Callable[[], Result]) -> list[Future[Result]]:
    """Runs all jobs, started together; each one's result or exception."""
    gate = threading.Barrier(len(jobs))

    def run(job: Callable[[], Result]) -> Result:
        try:
            gate.wait()
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [pool.submit(run, job) for job in jobs]
