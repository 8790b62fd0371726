"""The web process's command: gunicorn with threads."""

from labportal.running.processes import python


def gunicorn(port: int, *, host: str = "localhost") -> list[str]:
    """Two processes of eight threads. Slow downloads hold a thread each; production puts nginx in front (README)."""
    return python(
        "-m", "gunicorn", "labportal.wsgi:application", "--bind", f"{host}:{port}", "--workers", "2", "--threads", "8",
        "--worker-class", "gthread", "--timeout", "120", "--graceful-timeout", "5", "--log-level", "warning",
    )  # fmt: skip
