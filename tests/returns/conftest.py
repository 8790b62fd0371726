"""The desk of the intake tests, where a case has to come in before it can be returned."""

from tests.intake.fixtures import anna, desk, open_desk, scans, stock  # noqa: F401 - fixtures
