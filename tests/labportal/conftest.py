"""A machine to back up; see machine.py."""

from tests.labportal.machine import machine  # noqa: F401 - the fixture
