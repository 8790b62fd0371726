"""The desk of the intake tests, where a case has to come in before it can be removed; and a case made at once."""

from tests.intake.fixtures import anna, desk, open_desk, scans, stock  # noqa: F401 - fixtures
from tests.orders.conftest import case, pairing, scans_dir  # noqa: F401 - fixtures
