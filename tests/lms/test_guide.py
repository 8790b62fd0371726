"""What docs/lms-api.md tells a lab's programmer works as it stands there, over a real connection."""

import hashlib
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import requests
from django.core.wsgi import get_wsgi_application
from django.db import connections

from connector.lms.services import make_key
from tests.lms.stored import stored_case

GUIDE = Path(__file__).parents[2] / "docs" / "lms-api.md"


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def portal(committed, settings):
    """The address of the portal, served by a thread of this process."""
    with make_server("localhost", 0, get_wsgi_application(), handler_class=Quiet) as server:

        def serve():
            server.serve_forever(0.05)
            connections.close_all()

        thread = threading.Thread(target=serve)
        thread.start()
        settings.BASE_URL = f"http://localhost:{server.server_port}"
        yield settings.BASE_URL
        server.shutdown()
        thread.join(20)


@pytest.fixture
def case(portal, cast, scans_dir):
    return stored_case(cast.lab_a, scans_dir)


@pytest.fixture
def key(portal, cast):
    return make_key(lab=cast.lab_a, name="LMS", by=None)[1]


def test_the_example_fetches_every_zip_once(portal, case, key, tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    folder = tmp_path / "taken"
    folder.mkdir()
    environment = os.environ | {"PORTAL": portal, "KEY": key, "FOLDER": str(folder)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", example], env=environment, check=True, timeout=60)
    taken = folder / f"{case.order.pk}-1.zip"
    assert taken.read_bytes() == case.zip
    assert sorted(path.name for path in folder.iterdir()) == sorted([taken.name, "cursor.txt"])


def test_a_download_that_broke_goes_on_over_a_real_line(portal, case, key):
    headers = {"Authorization": f"Bearer {key}"}
    begun = case.zip[:100_000]
    with requests.get(portal + case.zip_url, headers=headers | {"Range": "bytes=100000-"}, timeout=20) as rest:
        assert rest.status_code == 206
        assert hashlib.sha256(begun + rest.content).hexdigest() == case.revision.sha256


def test_every_error_in_the_guides_table_is_one_that_the_interface_gives(portal, case, key):
    told = set(re.findall(r"^\| \d+ \| `(\w+)`", GUIDE.read_text(), re.MULTILINE))
    source = "".join(path.read_text() for path in (GUIDE.parents[1] / "connector" / "lms").glob("*.py"))
    assert told == set(re.findall(r'ProblemError\(\s*\d+, "(\w+)"', source))
