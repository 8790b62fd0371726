"""Lab A's desk; see fixtures.py."""

from tests.bucket.fixtures import bucket, line_to_bucket, server  # noqa: F401 - fixtures
from tests.intake.fixtures import anna, desk, open_desk, scans, stock  # noqa: F401 - fixtures
