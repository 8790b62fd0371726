"""What a case leaves behind outside of our tables: log lines and mails, those of its child processes too."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from labportal.logs import PlacesOnly

# Every order's patient carries it; who reads it anywhere but in our tables has found a leak.
CANARY = "ZZCANARY"
PATIENT = {"firstName": f"{CANARY}jo", "lastName": f"{CANARY}son", "chartNumber": f"{CANARY}-17"}


@dataclass(frozen=True)
class Traces:
    """Folder of the logs (any number of files) and of the mails."""

    logs: Path
    mails: Path

    @property
    def worker_log(self) -> Path:
        return self.logs / "worker.log"

    def texts(self) -> dict[str, str]:
        """By the file's name."""
        files = [*self.logs.glob("*"), *self.mails.glob("*")] if self.mails.exists() else [*self.logs.glob("*")]
        return {file.name: file.read_text(errors="replace") for file in files}


@contextmanager
def kept_in(folder: Path) -> Iterator[Traces]:
    """Log to a file as in production, but everything; forked children write into the same file."""
    traces = Traces(folder / "logs", folder / "mails")
    traces.logs.mkdir()
    handler = logging.FileHandler(traces.logs / "test.log")
    handler.setFormatter(PlacesOnly("%(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield traces
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()
