"""Settings and database roles that would quietly tear down a wall are refused before the first request."""

import ipaddress
import math
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import OperationalError, connections


@register(Tags.security)
def secrets_are_given(**kwargs: Any) -> list[CheckMessage]:
    if not settings.SECURE:
        return []
    found: list[CheckMessage] = []
    if not settings.SECRET_KEY_GIVEN:
        found.append(Error("SECRET_KEY is not set.", id="labs.E001"))
    if not settings.TOKEN_KEYS:
        found.append(Error("TOKEN_KEYS is not set: Align's tokens can't be sealed.", id="labs.E002"))
    if settings.SIMULATOR:
        found.append(
            Error(
                "SIMULATOR is on at an https address: the stand-in for Align must never serve a real lab.",
                id="labs.E003",
            )
        )
    if settings.FAULTS_ALLOWED:
        found.append(
            Error("FAULTS_ALLOWED is on at an https address: faults on purpose are for tests.", id="labs.E006")
        )
    return found


def must_be_encrypted(host: str) -> bool:
    """Whether the line to this host leaves the machine, and PLAIN_HOSTS does not say that nobody else is on it. A path
    is a socket; '' is libpq's own."""
    if not settings.SECURE or host in settings.PLAIN_HOSTS or host.startswith("/"):
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host not in ("", "localhost")


@register(Tags.security)
def lines_to_other_machines_are_encrypted(**kwargs: Any) -> list[CheckMessage]:
    """Patient data goes to the database, links that open an account to the mail server. ASVS 5.0 V12.3.1, V12.3.2: an
    encrypted line, no way back to a plain one, the server's certificate checked."""
    found: list[CheckMessage] = []
    for alias, database in settings.DATABASES.items():
        proved = database.get("OPTIONS", {}).get("sslmode") == "verify-full"
        if not proved and must_be_encrypted(str(database.get("HOST", ""))):
            found.append(
                Error(
                    f"The line to the database of '{alias}' must have sslmode=verify-full in its URL.", id="labs.E007"
                )
            )
    smtp = settings.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend"
    encrypted = settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL
    if smtp and not encrypted and must_be_encrypted(settings.EMAIL_HOST):
        found.append(Error("EMAIL_USE_TLS or EMAIL_USE_SSL must be on: mails go to another machine.", id="labs.E008"))
    return found


@register()
def queue_never_runs_a_task_twice_by_its_own_settings(**kwargs: Any) -> list[CheckMessage]:
    """retry ≥ timeout × (ceil((queue_limit + bulk) / workers) + 2): the clock starts when a task is prefetched."""
    base = {k: v for k, v in settings.Q_CLUSTER.items() if k != "ALT_CLUSTERS"}
    clusters = {"portal": base}
    clusters.update({name: base | alt for name, alt in settings.Q_CLUSTER.get("ALT_CLUSTERS", {}).items()})
    found: list[CheckMessage] = []
    for name, conf in clusters.items():
        needed = conf["timeout"] * (math.ceil((conf["queue_limit"] + conf["bulk"]) / conf["workers"]) + 2)
        if conf["retry"] < needed:
            found.append(
                Error(
                    f"Q_CLUSTER {name}: retry={conf['retry']} must be {needed} or more, else tasks run twice.",
                    id="labs.E004",
                )
            )
    return found


@register(Tags.database)
def web_role_is_walled_in(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """A superuser or BYPASSRLS role sees every lab's rows: row-level security is silently off for it."""
    found: list[CheckMessage] = []
    for alias in set(databases or []) & {"default", "operator"}:
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
                row = cursor.fetchone()
        except OperationalError:
            continue  # migrate and runserver say so themselves, in their own words
        if row and row[0]:
            found.append(Error(f"The database role of '{alias}' bypasses row-level security.", id="labs.E005"))
    return found
