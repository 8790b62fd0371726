"""Lab A's desk; see fixtures.py."""

from tests.intake.fixtures import anna, desk, open_desk, scans, stock  # noqa: F401 - fixtures
