"""The background worker: both task clusters under one parent; the only supported way to run them."""

import os
import signal
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from labportal.doorbell import ring_tick
from labportal.env import BASE_DIR
from labportal.running.leftovers import end_leftovers, remember
from labportal.running.processes import Processes, Stopped, python, raise_on_signals
from labportal.startup import refuse_unsafe_start

PATIENCE = 10.0


class Command(BaseCommand):
    help = "Run the task clusters (portal and downloads). SIGTERM ends them; a download cut short is resumed later."

    def handle(self, *args: Any, **options: Any) -> None:
        raise_on_signals()
        refuse_unsafe_start()
        end_leftovers()
        clusters = [settings.Q_CLUSTER["name"], *settings.Q_CLUSTER["ALT_CLUSTERS"]]
        children = Processes({})
        try:
            for name in clusters:
                self._start(children, name)
            ring_tick()
            while True:
                time.sleep(1.0)
                if name := children.ended():
                    self.stderr.write(f"cluster {name} ended; starting it again")
                    children.stop(name, patience=0)
                    self._start(children, name)
        except Stopped:
            pass
        finally:
            for name in clusters:
                if name in children.running:
                    children.running[name].send_signal(signal.SIGTERM)
            for name in clusters:
                children.stop(name, patience=PATIENCE)

    def _start(self, children: Processes, name: str) -> None:
        process = children.start(name, python(str(BASE_DIR / "manage.py"), "qcluster"), Q_CLUSTER_NAME=name)
        remember(os.getpid(), [child.pid for child in children.running.values()], process.pid)
