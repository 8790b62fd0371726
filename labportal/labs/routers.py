"""Which database role a query uses.

`default` is the app's role, walled in by row-level security. `operator` is the admin site's own way through: a role
with a policy of its own, used only while an operator's admin request (or an operator's command) is running and only for
the labs' records. `owner` creates and changes tables.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import models

_operating: ContextVar[bool] = ContextVar("operating", default=False)


@contextmanager
def as_operator() -> Iterator[None]:
    """Read and write the labs' records as the installation's operator, across labs."""
    token = _operating.set(True)
    try:
        yield
    finally:
        _operating.reset(token)


@contextmanager
def as_app() -> Iterator[None]:
    """Back to the app's walled role; `in_lab` uses it, so a service acts for one lab even when the admin calls it."""
    token = _operating.set(False)
    try:
        yield
    finally:
        _operating.reset(token)


class RoleRouter:
    """Django's database router for the three roles; they all reach the same database."""

    def _alias(self, model: type[models.Model]) -> str:
        from labportal.labs.allow_list import is_lab_record  # it imports models, which import the router's users

        return "operator" if _operating.get() and is_lab_record(model) else "default"

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str:
        return self._alias(model)

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str:
        return self._alias(model)

    def allow_relation(self, *objects: models.Model, **hints: Any) -> bool:
        return True  # one database; the composite foreign keys decide

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "owner"
