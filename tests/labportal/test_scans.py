"""The two scans of `make lint`: a planted secret is found, a known weakness fails, an unreachable service is said."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from connector.lms.key_text import new_key_text

ROOT = Path(__file__).resolve().parents[2]


def scan(script: str, *arguments: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, f"scripts/{script}.py", *arguments],
        cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout


# --- secrets


def test_the_project_holds_no_secret() -> None:
    status, said = scan("scan_secrets")
    assert (status, said.endswith(" 0 found.\n")) == (0, True), said
    assert int(said.split()[1]) > 500  # files were read


PLANTED = {
    "private key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "AWS key": "AKIA" + "Q3EGTZUYPNLD5W7K",
    "GitHub token": "ghp_" + "aB3" * 12,
    "sealing key": Fernet.generate_key().decode(),
    "API key of this portal": new_key_text(),
    "database password": "postgresql://portal:" + "x7Gq2Lw9Zr4Tn8Vb1Kc6" + "@db/labportal",
    "named secret": "CLIENT_SECRET = '" + "q8Zr2Lw9Xv4Tn7Gb1Kc6Hd3" + "'",
}


@pytest.mark.parametrize("kind", sorted(PLANTED))
def test_a_planted_secret_is_found_and_not_repeated(kind: str, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "settings.py").write_text(f"first = 1\n{PLANTED[kind]}\n")
    status, said = scan("scan_secrets", str(tmp_path))
    assert status == 1
    assert f"deep/settings.py:2: {kind}\n" in said
    assert PLANTED[kind] not in said


@pytest.mark.parametrize(
    "line",
    [
        f"{PLANTED['AWS key']}  # not a secret: a sample of Amazon's own guide",
        new_key_text()[:-1] + "_",
        "lp_" + "a" * 8 + "_" + "b" * 49,
        'password = "correct horse battery staple"',
        "TOKEN_KEYS=k2:NEW,k1:OLD",
        "secret = settings.ITERO_CLIENT_SECRET_OF_THE_LAB",
    ],
    ids=["a sample", "a wrong check sum", "one letter again and again", "words", "an example", "a setting's name"],
)
def test_what_only_looks_like_one_is_left_alone(line: str, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text(line)
    assert scan("scan_secrets", str(tmp_path))[0] == 0


# --- advisories


@contextmanager
def advisories(weak: str) -> Iterator[str]:
    """A server that speaks OSV and knows a weakness of one package."""

    class Osv(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
            body = json.dumps({"vulns": [weakness(asked)]} if asked == weak else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Osv)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1/query"
    server.shutdown()
    thread.join()
    server.server_close()


def weakness(name: str) -> dict[str, Any]:
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.9"}]}]
    affected = [{"package": {"ecosystem": "PyPI", "name": name}, "ranges": ranges}]
    return {"id": "TEST-2026-1", "summary": "made up", "affected": affected, "published": "2026-01-01T00:00:00Z"}


def test_a_known_weakness_of_a_dependency_fails() -> None:
    with advisories("requests") as url:
        status, said = scan("scan_dependencies", ADVISORIES_OSV_URL=url)
    assert status == 1
    assert "requests" in said
    assert "TEST-2026-1 (mended in 99.9)" in said


def test_without_a_known_weakness_it_says_how_many_were_asked_about() -> None:
    with advisories("no-such-package") as url:
        status, said = scan("scan_dependencies", ADVISORIES_OSV_URL=url)
    assert status == 0
    assert said.endswith(" packages, no known weakness.\n")
    assert int(said.split()[1]) > 80


def test_a_service_that_cannot_be_reached_is_said_and_stops_nothing() -> None:
    status, said = scan("scan_dependencies", ADVISORIES_OSV_URL="http://127.0.0.1:9/v1/query")
    assert (status, "NOT CHECKED" in said) == (0, True), said


def test_a_service_that_knows_no_package_is_no_clean_bill(monkeypatch: pytest.MonkeyPatch) -> None:
    """As PyPI's own addresses answer behind a mirror without advisories: pip-audit alone would call that clean."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from scan_dependencies import judge

    skipped = [{"name": "django", "skip_reason": "Dependency not found on PyPI"}]
    assert judge({"dependencies": skipped}) == (
        0, "Dependencies: NOT CHECKED, the advisory service knew none of the 1 packages (not reachable?)."
    )  # fmt: skip
