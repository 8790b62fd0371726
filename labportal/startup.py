"""What web and worker refuse to start with, settings or a database role that tear down a wall; and waiting for a
database that is not there yet. Its roles are looked at before the first page is served or the first task done."""

import logging
import threading
import time

from django.core.checks import CheckMessage, Error, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, connections

log = logging.getLogger(__name__)

ROLES = ("default", "operator")
SAY_AGAIN = 30.0  # seconds
_trying = threading.Lock()
_unseen = False


def refuse_unsafe_settings() -> None:
    """The system checks that ask no database. Errors: ImproperlyConfigured with their words."""
    _refuse(run_checks())


def refuse_unsafe_roles() -> None:
    """The checks of the database's roles. Errors: as above; OperationalError, InterfaceError when it is away, which the
    checks themselves pass over."""
    for alias in ROLES:
        connections[alias].ensure_connection()
    _refuse(run_checks(tags=["database"], databases=list(ROLES)))


def _refuse(found: list[CheckMessage]) -> None:
    errors = [str(message) for message in found if isinstance(message, Error)]
    if errors:
        raise ImproperlyConfigured("\n".join(errors))


def wait_for_database(*aliases: str) -> None:
    """Return when the database gives connections; says so at once, and each half minute, what is waited for."""
    said = 0.0
    while (trouble := _no_connection(aliases)) is not None:
        if not said or time.monotonic() - said > SAY_AGAIN:
            log.warning("waiting for the database: %s", trouble)
            said = time.monotonic()
        time.sleep(1.0)
    if said:
        log.warning("the database answers")


def _no_connection(aliases: tuple[str, ...]) -> str | None:
    """libpq's words, which name host and user; None when there is a connection."""
    for alias in aliases:
        try:
            connections[alias].close_if_unusable_or_obsolete()
            connections[alias].ensure_connection()
        except (OperationalError, InterfaceError) as error:
            return (str(error).splitlines() or [""])[0][:300]
    return None


def begin_serving() -> None:
    """For the web process, which starts without its database: then each request tries again to look at its roles, and
    none is served before (labportal/running/away.py). Errors: ImproperlyConfigured."""
    global _unseen
    refuse_unsafe_settings()
    try:
        refuse_unsafe_roles()
    except (OperationalError, InterfaceError):
        log.warning("the database is away: pages answer 503 until it is there")
        _unseen = True


def may_serve() -> bool:
    """Whether the database's roles were found safe. One request at a time tries; a refusal is for good."""
    global _unseen
    if not _unseen:
        return True
    if not _trying.acquire(blocking=False):
        return False
    try:
        refuse_unsafe_roles()
    except (OperationalError, InterfaceError):
        return False
    except ImproperlyConfigured as refused:
        log.critical("refused: %s", refused)
        return False
    finally:
        _trying.release()
    _unseen = False
    log.warning("the database answers")
    return True
