"""Acting for one lab: a short transaction in which the database itself shows that lab's rows and no others.

The setting is transaction-local (`set_config(…, true)`): a session-level one would leak to the next borrower of the
connection. Outside of `in_lab` the app's role sees no lab row at all: it fails closed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection, transaction

from labportal.audit.services import collected
from labportal.labs import scope
from labportal.labs.routers import as_app


@contextmanager
def in_lab(lab_id: UUID | str, *, user_id: UUID | None = None) -> Iterator[None]:
    """One transaction as `lab_id`, with its audit entries at the end. Nested, the outer lab is back afterwards. Never
    hold it around an HTTP call."""
    with as_app(), transaction.atomic(), collected():
        before = name_lab(lab_id, user_id)
        yield
        # Not in a finally: after an error this transaction, and the setting with it, is rolled back anyway.
        name_lab(*before)


def name_lab(lab_id: UUID | str | None, user_id: UUID | str | None) -> tuple[str, str]:
    """Set the current lab and person, and the pairings that may be seen (labs/scope.py), for the running transaction;
    returns the lab and person set before ('' = none)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.lab_id', true), current_setting('app.user_id', true)")
        lab_before, user_before = cursor.fetchone() or (None, None)
        cursor.execute(
            "SELECT set_config('app.lab_id', %s, true), set_config('app.user_id', %s, true), "
            "set_config('app.pairings', %s, true)",
            [str(lab_id or ""), str(user_id or ""), scope.as_setting()],
        )
    return lab_before or "", user_before or ""


def narrow_to(pairings: scope.Scope) -> None:
    """From here on the request, and its running transaction, sees only these pairings of the lab; None is all."""
    scope.change(pairings)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.pairings', %s, true)", [scope.as_setting()])
