"""The chains go on through the whole run, since nothing may be taken from them: a test looks at what came after it
began."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from labportal.audit.models import INSTALLATION, Entry
from tests.isolation.conftest import Worlds, worlds  # noqa: F401 - a fixture
from tests.isolation.world import World

Since = Callable[[UUID | None], list[Entry]]


@pytest.fixture
def since(request: pytest.FixtureRequest) -> Since:
    """What a chain got since the test began: `since(lab.pk)`, `since(None)` for the installation's. Oldest first."""
    request.getfixturevalue("committed")
    with connections["operator"].cursor() as cursor:
        cursor.execute("SELECT chain, seq FROM audit_head")
        before: dict[UUID, Any] = dict(cursor.fetchall())

    def entries(lab_id: UUID | None) -> list[Entry]:
        chain = lab_id or INSTALLATION
        rows = Entry.objects.using("operator").filter(chain=chain, seq__gt=before.get(chain, 0))
        return list(rows.order_by("seq"))

    return entries


@pytest.fixture
def world(since: Since, worlds: Worlds) -> World:  # noqa: F811 - the fixture
    """Lab A with one of everything; what `since` gives came after the mark."""
    return worlds[0]
