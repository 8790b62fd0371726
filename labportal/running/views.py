"""The demo's mails, readable on a page; there is no such page on a real installation."""

import email
from email import policy
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def mails(request: HttpRequest) -> HttpResponse:
    """What the demo would have sent, newest first."""
    files = sorted(Path(settings.EMAIL_FILE_PATH).glob("*.log"), key=lambda f: f.stat().st_mtime, reverse=True)
    read = []
    for file in files[:50]:
        mail = email.message_from_bytes(file.read_bytes(), policy=policy.default)
        body = mail.get_body(preferencelist=("plain",))
        read.append({
            "when": mail["date"], "to": mail["to"], "subject": mail["subject"],
            "body": body.get_content() if body is not None else "",
        })  # fmt: skip
    return render(request, "mail_outbox.html", {"mails": read})
