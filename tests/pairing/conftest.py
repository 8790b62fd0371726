"""The two owners at their browsers, and a pairing that works."""

from collections.abc import Callable

import pytest
from django.test import Client

from connector.pairing.models import Pairing
from labportal.labs.models import User
from tests.align import pair_lab
from tests.cast import Cast
from tests.simulator.launch import Simulator


@pytest.fixture
def anna(committed: None, cast: Cast, client_of: Callable[[User], Client]) -> Client:
    """Lab A's owner."""
    return client_of(cast.anna)


@pytest.fixture
def bruno(committed: None, cast: Cast, client_of: Callable[[User], Client]) -> Client:
    """Lab B's owner."""
    return client_of(cast.bruno)


@pytest.fixture
def paired(anna: Client, align: Simulator) -> Pairing:
    """Lab A's pairing with account 479."""
    return pair_lab(anna, align)
