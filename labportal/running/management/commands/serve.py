"""`make run`: the portal of a real lab on one machine."""

import os
import subprocess
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labportal.embedded_postgres import EmbeddedPostgresError
from labportal.env import BASE_DIR, DATA_DIR
from labportal.running.instance import await_database, keep_database, migrate, prepare
from labportal.running.processes import Processes, Stopped, python, raise_on_signals, stop_if_told, wait_until
from labportal.running.web import answers, gunicorn, must_be_free


class Command(BaseCommand):
    help = "Run database, web and worker of one machine. The first lab and owner: manage.py createlab."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        raise_on_signals()
        port = int(os.environ.get("PORT", "8000"))
        must_be_free("PORT", port)
        try:
            prepared = prepare(Path(DATA_DIR))
        except EmbeddedPostgresError as error:
            raise CommandError(str(error)) from error
        base = os.environ.get("BASE_URL", f"http://localhost:{port}")
        children = Processes({**prepared.environment, "BASE_URL": base})
        try:
            await_database(prepared)
            migrate(children.environment)
            children.start("worker", python(str(BASE_DIR / "manage.py"), "worker"))
            children.start("web", gunicorn(port))
            wait_until(lambda: answers(port) or bool(children.ended()), seconds=60, what="the portal")
            if children.ended() is None:
                self.stdout.write(f"PORTAL READY {base}")
                self.stdout.flush()
            while (name := children.ended()) is None:
                stop_if_told()
                keep_database(prepared)
                time.sleep(0.5)
            raise CommandError(f"{name} ended; see its messages above")
        except Stopped:
            self.stdout.write("Stopping …")
        except (TimeoutError, subprocess.CalledProcessError) as error:
            raise CommandError(f"The portal could not start: {error}") from error
        finally:
            children.stop_all()
            if prepared.server is not None:
                prepared.server.stop()
