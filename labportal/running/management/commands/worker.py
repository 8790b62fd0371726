"""The background worker: both task clusters under one supervisor; the only supported way to run them."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from labportal.running.leftovers import end_leftovers
from labportal.running.processes import Stopped, raise_on_signals, stop_if_told
from labportal.running.supervisor import Cluster, Supervisor
from labportal.startup import refuse_unsafe_roles, refuse_unsafe_settings, wait_for_database

PATIENCE = 10.0


class Command(BaseCommand):
    help = "Run the task clusters (portal and downloads). SIGTERM ends them; a download cut short is taken up again."

    def handle(self, *args: Any, **options: Any) -> None:
        raise_on_signals()
        supervisor = Supervisor(
            _clusters(), ping_every=settings.WORKER_PING_SECONDS, stale_after=settings.WORKER_STALE_SECONDS
        )
        try:
            refuse_unsafe_settings()
            wait_for_database("default", "operator")
            refuse_unsafe_roles()
            end_leftovers()
            for cluster in supervisor.clusters:
                supervisor.start(cluster)
            while True:
                stop_if_told()
                supervisor.watch()
                time.sleep(0.5)
        except Stopped:
            pass
        finally:
            supervisor.stop(patience=PATIENCE)


def _clusters() -> list[Cluster]:
    conf = {key: value for key, value in settings.Q_CLUSTER.items() if key != "ALT_CLUSTERS"}
    named = {conf["name"]: conf} | {name: conf | alt for name, alt in settings.Q_CLUSTER["ALT_CLUSTERS"].items()}
    return [Cluster(name, workers=one["workers"], timeout=one["timeout"]) for name, one in named.items()]
