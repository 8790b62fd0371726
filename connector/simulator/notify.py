"""Scan notifications: "go and look", posted in the background and repeated a few times."""

import http.client
import json
import threading
import time
from collections import deque
from urllib.parse import urlsplit

from connector.simulator.records import Notification
from connector.simulator.spelling import Dialect, render
from connector.simulator.state import World

PAUSES = (0.5, 2.0, 5.0)  # seconds of real time before each further try
TIMEOUT = 5.0
REMEMBERED = 2000


class Notifier:
    """One background thread that posts notifications in the order they fall due."""

    def __init__(self, world: World, dialect: Dialect) -> None:
        self._world = world
        self._dialect = dialect
        self._waiting: deque[tuple[float, Notification]] = deque()
        self._wake = threading.Condition()
        self._stopped = False
        # A daemon: a listener that hangs must not hold up the end of the process.
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopped = True
            self._wake.notify()
        self._thread.join(1)

    def tell(self, rx_id: str, account_id: int, installation_url: str) -> None:
        """Notifies the paired account's own address, else the installation's, else nobody."""
        with self._world.change():
            account = self._world.accounts[account_id]
            url = (account.callback or installation_url) if account.pairing else ""
            if not url:
                return
            notification = Notification(rx_id, account_id, url)
            self._world.notifications = [*self._world.notifications[-REMEMBERED:], notification]
        self._queue(notification, 0)

    def _queue(self, notification: Notification, pause: float) -> None:
        with self._wake:
            self._waiting.append((time.monotonic() + pause, notification))
            self._wake.notify()

    def _run(self) -> None:
        while (notification := self._next()) is not None:
            answer = self._post(notification)
            delivered = isinstance(answer, int) and 200 <= answer < 300
            with self._world.change():
                notification.answers.append(answer)
                notification.delivered = delivered
                tries = len(notification.answers)
            if not delivered and tries <= len(PAUSES):
                self._queue(notification, PAUSES[tries - 1])

    def _next(self) -> Notification | None:
        with self._wake:
            while not self._stopped:
                now = time.monotonic()
                for entry in sorted(self._waiting, key=lambda waiting: waiting[0]):
                    if entry[0] <= now:
                        self._waiting.remove(entry)
                        return entry[1]
                first = min((due for due, _ in self._waiting), default=None)
                self._wake.wait(None if first is None else first - now)
        return None

    def _post(self, notification: Notification) -> int | str:
        facts = {"rx_id": notification.rx_id, "account_number": str(notification.account_id)}
        body = json.dumps(render(self._dialect.notification, facts))
        address = urlsplit(notification.url)
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = kind(address.hostname or "", address.port, timeout=TIMEOUT)
        target = (address.path or "/") + (f"?{address.query}" if address.query else "")
        try:
            connection.request("POST", target, body, {"Content-Type": "application/json"})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException) as problem:
            return type(problem).__name__
        finally:
            connection.close()
