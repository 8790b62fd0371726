"""A store in a folder of the test's own, and a lab's person who looks at its pages."""

from pathlib import Path
from typing import Any

import pytest

from connector.pairing.models import Pairing
from tests.cast import Cast
from tests.orders.make import make_order, make_pairing
from tests.orders.stored import Stored, stored


@pytest.fixture
def scans_dir(settings: Any, tmp_path: Path) -> Path:
    settings.SCANS_DIR = tmp_path
    kept = {name: value for name, value in settings.STORAGES.items() if name != "scans"}
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = kept | {"scans": storage}
    return tmp_path


@pytest.fixture
def pairing(cast: Cast, db: None) -> Pairing:
    return make_pairing(cast.lab_a)


@pytest.fixture
def case(cast: Cast, pairing: Pairing, scans_dir: Path) -> Stored:
    """A case of lab A whose files are here."""
    return stored(cast.lab_a, make_order(cast.lab_a, pairing, "114582239"), scans_dir)
