"""The portal's state for a monitoring system; and the demo's mails, a page that no real installation has."""

import email
import hmac
from email import policy
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from django.views.defaults import page_not_found

from labportal.keeping.doctor_line import BAD
from labportal.keeping.status import status as the_status
from labportal.labs.middleware import needs_no_database


@needs_no_database
@require_GET
def status(request: HttpRequest) -> HttpResponse:
    """How the portal stands, for a monitoring system that knows STATUS_TOKEN: 200, or 503 when a line is bad. To
    everybody else there is no such address. Answers while the database is away, too."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    if not settings.STATUS_TOKEN or not hmac.compare_digest(given, settings.STATUS_TOKEN.encode()):
        return page_not_found(request, Http404())
    found = the_status()
    code = 503 if found["status"] == BAD else 200
    return JsonResponse(found, status=code, headers={"Cache-Control": "no-store"})


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
