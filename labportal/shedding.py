"""A storm of pushes must not take every thread from the people at their pages: what is too much is refused at once.

Outside of Django, since a refusal has to cost next to nothing. Align sends a refused push again; should it not, the
poll finds the order.
"""

import threading
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

# Of a process's twelve threads (labportal/running/web.py).
PUSHES_AT_ONCE = 6
BODY = b'{"error": "busy"}'


class AtMost:
    """Lets `most` requests below `prefix` be at work in this process at once; the next one gets 503 and Retry-After."""

    def __init__(self, application: Application, *, prefix: str, most: int) -> None:
        self.application, self.prefix = application, prefix
        self.places = threading.BoundedSemaphore(most)
        self.random = Random()  # noqa: S311 - spreads out the retries, guards nothing

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if not str(environ.get("PATH_INFO", "")).startswith(self.prefix):
            return self.application(environ, start_response)
        if not self.places.acquire(blocking=False):
            wait = str(self.random.randint(5, 30))
            headers = [("Content-Type", "application/json"), ("Retry-After", wait), ("Content-Length", str(len(BODY)))]
            start_response("503 Service Unavailable", [*headers, ("Cache-Control", "no-store")])
            return [BODY]
        try:
            return self.application(environ, start_response)
        finally:
            self.places.release()
