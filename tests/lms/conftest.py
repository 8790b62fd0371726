"""A system of lab A and one of lab B, each with its key; and a store in a folder of its own."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from connector.lms.services import make_key
from labportal.labs.models import Lab
from tests.cast import Cast

Ask = Callable[..., Any]


def with_key(text: str) -> Ask:
    """GET as a system that knows this key, and has no cookies."""

    def ask(path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {text}"} | options.pop("headers", {})
        return Client().get(path, headers=headers, **options)

    return ask


def system_of(lab: Lab) -> Ask:
    return with_key(make_key(lab=lab, name="LMS", by=None)[1])


@pytest.fixture
def lms_a(cast: Cast, db: None) -> Ask:
    return system_of(cast.lab_a)


@pytest.fixture
def lms_b(cast: Cast, db: None) -> Ask:
    return system_of(cast.lab_b)


@pytest.fixture
def scans_dir(settings: Any, tmp_path: Any) -> Any:
    settings.SCANS_DIR = tmp_path
    kept = {name: value for name, value in settings.STORAGES.items() if name != "scans"}
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = kept | {"scans": storage}
    return tmp_path
