"""What is left of child processes."""

import pytest

from tests.scans.children import Children


@pytest.fixture
def children() -> Children:
    """Those that came during this test."""
    return Children()
