"""The web process: gunicorn with threads, its port, and whether it answers."""

import socket

import requests
from django.core.management.base import CommandError

from labportal.running.processes import python


def must_be_free(name: str, port: int) -> None:
    """Errors: CommandError that names the variable with which another port is chosen."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandError(f"Port {port} is in use. Choose another one with {name}=…") from error


def answers(port: int) -> bool:
    """Whether the web process of this machine answers, be it only that this is not its name."""
    try:
        return requests.get(f"http://localhost:{port}/healthz", timeout=5).status_code < 500
    except (requests.ConnectionError, requests.Timeout):
        return False


def gunicorn(port: int, *, host: str = "localhost") -> list[str]:
    """Two processes of twelve threads, of which pushes get six at most (labportal/shedding.py). Slow downloads hold a
    thread each; production puts nginx in front (README)."""
    return python(
        "-m", "gunicorn", "labportal.wsgi:application", "--bind", f"{host}:{port}", "--workers", "2", "--threads", "12",
        "--worker-class", "gthread", "--timeout", "120", "--graceful-timeout", "5", "--log-level", "warning",
    )  # fmt: skip
