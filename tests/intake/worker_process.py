"""The real worker as a process of the test's own: `manage.py worker` on its database, scan store and simulator."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings

from labportal.env import BASE_DIR, read_instance
from tests.database import NAME

ALIGN = ("PROFILE", "OAUTH_BASE", "BASE_URL", "LOGIN_PAGE", "CLIENT_ID", "CLIENT_SECRET")
SECONDS = 60


class Worker:
    """`manage.py worker` on the test's database, scan store and simulator."""

    def __init__(self, log: Path, **extra: str) -> None:
        self._log, self._extra = log, extra
        self.process = self.start()

    def start(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(BASE_DIR / "manage.py"), "worker"],
                env=os.environ | environment() | self._extra,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.process

    def kill_all(self) -> None:
        """The machine's power is gone: supervisor, clusters and their workers at once."""
        for pid in [self.process.pid, *self.clusters()]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(120)

    def clusters(self) -> list[int]:
        """The qcluster processes of this test: those that carry its log's folder in their environment."""
        return [pid for pid in pids() if mentions(pid, "cmdline", "qcluster") and mentions(pid, "environ", self.mark)]

    @property
    def mark(self) -> str:
        return f"SCANS_DIR={settings.SCANS_DIR}"


def environment() -> dict[str, str]:
    """What the operator sets: Align's values, and here the test's database in place of the portal's."""
    urls = {name: os.environ.get(name) or instance(name) for name in ("DATABASE_URL", "DATABASE_OPERATOR_URL")}
    ours = {name: urlunsplit(urlsplit(url)._replace(path=f"/{NAME}")) for name, url in urls.items()}
    align = {f"ITERO_{name}": getattr(settings, f"ITERO_{name}") for name in ALIGN}
    mails = {"EMAIL_BACKEND": settings.EMAIL_BACKEND, "EMAIL_FILE_PATH": str(settings.EMAIL_FILE_PATH)}
    here = {"SCANS_DIR": str(settings.SCANS_DIR), "BASE_URL": settings.BASE_URL, "SIMULATOR": "1"}
    return ours | align | mails | here


def instance(name: str) -> str:
    return str(dict(read_instance())[name])


def pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def mentions(pid: int, file: str, text: str) -> bool:
    try:
        return text.encode() in Path(f"/proc/{pid}/{file}").read_bytes().split(b"\0")
    except OSError:
        return False


def wait_for(true: Callable[[], bool], what: str, *, seconds: float = SECONDS) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.1)
