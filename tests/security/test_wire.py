"""What the processes do with bytes as they come: the real gunicorn, as `web` is started, and real TLS."""

import datetime
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socket import create_connection, socket
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connector.itero.addresses import AllowedHosts, read_origin
from connector.itero.connections import GuardedSession as ToAlign
from connector.itero.pace import PACE
from labportal.running.web import gunicorn
from labportal.signin.outgoing import GuardedSession as ToProvider

ROOT = Path(__file__).resolve().parents[2]
# In the portal's place: answers with what it was given.
ECHO = """
def application(environ, start):
    body = environ["wsgi.input"].read()
    said = f"{environ['REQUEST_METHOD']} {len(body)} {environ.get('HTTP_X_FORWARDED_PROTO', '-')}".encode()
    start("200 OK", [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(said)))])
    return [said]
"""


def free_port() -> int:
    with closing(socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of gunicorn with the portal's own options."""
    folder, port = tmp_path_factory.mktemp("echo"), free_port()
    (folder / "echo.py").write_text(ECHO)
    command = ["echo:application" if each == "labportal.wsgi:application" else each for each in gunicorn(port)]
    with subprocess.Popen([*command, "--chdir", str(folder)], cwd=ROOT) as process:
        try:
            wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait(20)


def wait_for(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            create_connection(("localhost", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError


def answers(port: int, message: bytes) -> bytes:
    """Everything that comes back until the line is closed."""
    with create_connection(("localhost", port), 10) as line:
        line.sendall(message)
        line.settimeout(10)
        found = b""
        while piece := line.recv(65_536):
            found += piece
        return found


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
AMBIGUOUS = {
    "length and chunks": b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "two lengths": b"Content-Length: 0\r\nContent-Length: 55\r\n\r\n" + SMUGGLED,
    "a length with a sign": b"Content-Length: +0\r\n\r\n" + SMUGGLED,
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunks said in two ways": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "a blank before the colon": b"Content-Length : 6\r\n\r\n" + SMUGGLED,
    "a folded line": b"X-Long: a\r\n Content-Length: 6\r\n\r\n" + SMUGGLED,
}


@pytest.mark.parametrize("kind", AMBIGUOUS)
def test_a_message_whose_end_can_be_read_in_two_ways_is_refused_and_nothing_behind_it_is_answered(
    web: int, kind: str
) -> None:
    answer = answers(web, b"POST / HTTP/1.1\r\nHost: a\r\n" + AMBIGUOUS[kind])
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501")), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1


def test_control_two_plain_messages_on_one_line_are_both_answered(web: int) -> None:
    first = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    found = answers(web, first + SMUGGLED)
    assert (found.count(b"HTTP/1.1 200"), b"POST 3 -" in found, b"GET 0 -" in found) == (2, True, True)


def test_a_header_of_the_proxy_is_not_set_by_a_name_that_only_looks_like_it(web: int) -> None:
    """A proxy overwrites X-Forwarded-Proto; X_Forwarded_Proto would pass it and mean the same to an application."""
    head = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    assert answers(web, head + b"X_Forwarded_Proto: https\r\n\r\n").endswith(b"GET 0 -")
    assert answers(web, head + b"X-Forwarded-Proto: https\r\n\r\n").endswith(b"GET 0 https")


# --- TLS that we begin


def certificate(folder: Path, host: str, *, days: int = 30) -> Path:
    """A key and a certificate that is signed by itself, in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60)).not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / f"{host}{days}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


class Quiet(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serving(file: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = HTTPServer(("127.0.0.1", 0), Quiet)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a refused handshake is what is tested
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def to_align(url: str) -> requests.Session:
    return ToAlign(AllowedHosts([read_origin(url)], allow_loopback=True), (5, 5), PACE)


def to_provider(url: str) -> requests.Session:
    return ToProvider()


@pytest.mark.parametrize("session", [to_align, to_provider])
@pytest.mark.parametrize(
    ("host", "days", "trusted"), [("localhost", 30, False), ("elsewhere.example", 30, True), ("localhost", -1, True)],
    ids=["nobody vouches for it", "of another host", "it has expired"],
)  # fmt: skip
def test_a_server_whose_certificate_is_not_good_is_told_nothing(
    session: Any, host: str, days: int, trusted: bool, tmp_path: Path
) -> None:
    file = certificate(tmp_path, host, days=days)
    with serving(file) as url, session(url) as line, pytest.raises(requests.exceptions.SSLError):
        line.get(url, **({"verify": str(file)} if trusted else {}))


@pytest.mark.parametrize("session", [to_align, to_provider])
def test_control_the_same_server_is_called_when_its_certificate_is_good(session: Any, tmp_path: Path) -> None:
    file = certificate(tmp_path, "localhost")
    with serving(file) as url, session(url) as line:
        assert line.get(url, verify=str(file)).status_code == 200
