"""The mails that the portal sent in a test, by the real file backend."""

import email
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.core import mail


class Mails:
    """What lies in the folder, oldest first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[EmailMessage]:
        files = sorted(self.folder.glob("*.log"), key=lambda file: file.stat().st_mtime_ns)
        return [_read(part) for file in files for part in file.read_bytes().split(b"-" * 79 + b"\n") if part.strip()]

    def subjects(self) -> list[str]:
        return [str(one["subject"]).strip() for one in self.all()]

    def text(self) -> str:
        """All bodies."""
        return "\n".join(body.get_content() for one in self.all() if (body := one.get_body(("plain",))) is not None)


def _read(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


@pytest.fixture
def mails(tmp_path: Path, settings: Any) -> Iterator[Mails]:
    """Mail goes into a folder of this test's own."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mails")
    yield Mails(tmp_path / "mails")
    assert not getattr(mail, "outbox", [])  # nothing went another way
