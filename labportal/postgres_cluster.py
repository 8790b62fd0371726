"""Where the embedded PostgreSQL of one DATA_DIR keeps its files, and how its cluster is made.

DATA_DIR/postgres/            the cluster; as root instead /var/lib/labportal-pg/clusters/<hash of DATA_DIR>
DATA_DIR/postgres.place       as root: the name of that cluster
DATA_DIR/postgres.password    the superuser's password, 0600
DATA_DIR/postgres.log         what the server says, without statements and values
DATA_DIR/postgres.starting    locked while a process starts or stops the server
DATA_DIR/postgres.owner       locked while the process that will stop the server lives
/tmp/lp-<hash>/               the socket, 0700; as root /var/lib/labportal-pg/sockets/<hash>
"""

import hashlib
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from labportal.postgres_account import SYSTEM_DIR, Account, EmbeddedPostgresError, Identity, wheel_version

SUPERUSER = "postgres"
PORT = 5432
SYSTEM_SOCKETS = SYSTEM_DIR / "sockets"
SOCKET_PATH_LIMIT = 107  # bytes: the kernel's sockaddr_un holds 108 with the closing NUL
MIN_FREE_BYTES = 200 * 1024 * 1024


class RunAs(Identity, total=False):
    """Arguments for subprocess: who, in which folder, with which environment."""

    cwd: Path
    env: dict[str, str]
    umask: int


@dataclass(frozen=True)
class Cluster:
    """The files of one DATA_DIR's PostgreSQL; `account` is unset only where nothing will be run."""

    data_dir: Path
    path: Path
    socket_dir: Path
    _account: Account | None

    @classmethod
    def of(cls, data_dir: Path, account: Account | None) -> "Cluster":
        """The cluster of a resolved DATA_DIR, which need not exist yet; refuses one that another user made."""
        name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
        record = data_dir / "postgres.place"
        own = data_dir / "postgres"
        if os.geteuid() != 0:
            if record.exists():
                raise EmbeddedPostgresError(f"{data_dir} was set up by root. Run as root, or set another DATA_DIR.")
            return cls(data_dir, own, Path(tempfile.gettempdir()) / f"lp-{name}", account)
        if own.exists():
            owner = _user_name(own.stat().st_uid)
            raise EmbeddedPostgresError(f"{data_dir} was set up by {owner}. Run as {owner}, or set another DATA_DIR.")
        recorded = Path(record.read_text().strip()).name if record.exists() else name
        return cls(data_dir, SYSTEM_DIR / "clusters" / recorded, SYSTEM_SOCKETS / name, account)

    @property
    def account(self) -> Account:
        """The account that runs it; only for a cluster that was opened with one."""
        assert self._account is not None
        return self._account

    @property
    def log(self) -> Path:
        """The server's log, written by whoever starts it."""
        return self.data_dir / "postgres.log"

    @property
    def password_file(self) -> Path:
        """The superuser's password, readable by the portal's own user alone."""
        return self.data_dir / "postgres.password"

    def exists(self) -> bool:
        """Whether initdb has run to its end."""
        return (self.path / "PG_VERSION").exists()

    def superuser_url(self) -> str:
        """A libpq URL; the folder stands in `host=` because a URL's host name would lose its capitals."""
        password = quote(self.password_file.read_text().strip(), safe="")
        return f"postgresql://{SUPERUSER}:{password}@:{PORT}/postgres?host={quote(str(self.socket_dir))}"

    def run_as(self) -> RunAs:
        """Arguments for subprocess; PG* and LD_* variables of ours must not reach the server."""
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        return {"cwd": Path("/"), "env": environment, "umask": 0o077, **self.account.identity}

    def is_postmaster(self, pid: int) -> bool:
        """Whether this process serves this cluster: pids are re-used, so being alive says nothing."""
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return words[0].endswith(b"/postgres") and os.fsencode(self.path) in words

    def running_pid(self) -> int | None:
        """The process that serves this cluster, if one does."""
        pid = self._noted_pid()
        return pid if pid is not None and self.is_postmaster(pid) else None

    def as_running(self) -> "Cluster":
        """The same with the socket folder that the running server has: it may have been started with another TMPDIR."""
        return replace(self, socket_dir=Path((self.path / "postmaster.pid").read_text().splitlines()[4]))

    def is_abandoned(self) -> bool:
        """Whether root's DATA_DIR was deleted and made anew: the keys of the cluster outside it are gone for good."""
        return os.geteuid() == 0 and not (self.data_dir / "postgres.place").exists() and self.path.exists()

    def log_end(self) -> str:
        """The last lines since the last start, in one line, for an error message."""
        text = self.log.read_bytes()[-20_000:].decode(errors="replace").rpartition("-- starting\n")[2]
        if "No space left on device" in text:
            return f"the disk is full (cluster in {self.path}). Free some space and start again."
        return f"{' | '.join(text.strip().splitlines()[-4:])} (log: {self.log})"

    def prepare(self, *, fast: bool) -> None:
        """Make everything ready for a server that does not run yet: folders, password, cluster, no stale files."""
        self._require_disk()
        self._make_socket_dir()
        self._set_aside()
        if not self.exists():
            self._initdb(fast=fast)
        major = (self.path / "PG_VERSION").read_text().strip()
        if not wheel_version().startswith(f"{major}."):
            raise EmbeddedPostgresError(
                f"{self.path} was made by PostgreSQL {major}, but {wheel_version()} is installed."
                " Dump it with the old release of the portal, and restore the dump with this one."
            )
        self._pass_over_stale_pid()

    def delete(self) -> None:
        """Delete the cluster with all its data, and an abandoned one of the same DATA_DIR."""
        for path in (self.path, self.path.with_name(f"{self.path.name}.aside")):
            shutil.rmtree(path, ignore_errors=True)
        for name in ("postgres.place", "postgres.password"):
            (self.data_dir / name).unlink(missing_ok=True)

    def _initdb(self, *, fast: bool) -> None:
        record = self.data_dir / "postgres.place"
        if record.exists():
            raise EmbeddedPostgresError(
                f"The database of {self.data_dir} is gone: {self.path} is missing. Put it back from your backup, or"
                f" delete {record} to begin with an empty one."
            )
        if not self.password_file.exists():
            _write_private(self.password_file, secrets.token_urlsafe(32))
        unfinished = self.path.with_name(f"{self.path.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        handed = self.path.with_name(f"{self.path.name}.pw")  # initdb, maybe another user, must read it
        handed.unlink(missing_ok=True)
        _write_private(handed, self.password_file.read_text())
        self.account.give(unfinished)
        self.account.give(handed)
        command = [str(self.account.bin_dir / "initdb"), "-D", str(unfinished), f"--username={SUPERUSER}"]
        command += [f"--pwfile={handed}", "--auth=scram-sha-256", "--locale=C.UTF-8", "--encoding=UTF8"]
        command += ["--no-instructions", *(["--no-sync"] if fast else [])]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, **self.run_as())  # noqa: S603 — our own words and paths
        finally:
            handed.unlink()
        if done.returncode != 0:
            shutil.rmtree(unfinished, ignore_errors=True)
            said = " | ".join((done.stderr or done.stdout).strip().splitlines()[-4:])
            raise EmbeddedPostgresError(f"The database cluster could not be created in {self.path}: {said}")
        unfinished.rename(self.path)  # only a complete cluster ever has the final name
        if os.geteuid() == 0:
            record.write_text(f"{self.path.name}\n")

    def _make_socket_dir(self) -> None:
        socket = self.socket_dir / f".s.PGSQL.{PORT}"
        if len(os.fsencode(socket)) > SOCKET_PATH_LIMIT:
            raise EmbeddedPostgresError(
                f"The socket's path is longer than {SOCKET_PATH_LIMIT} bytes: {socket}. Set TMPDIR to a shorter folder."
            )
        try:
            self.socket_dir.mkdir(mode=0o700)
            self.account.give(self.socket_dir)
        except FileExistsError:
            pass
        facts = self.socket_dir.lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != self.account.uid:
            raise EmbeddedPostgresError(
                f"{self.socket_dir} belongs to {_user_name(facts.st_uid)}, so it is not safe for the database's socket."
                " Remove it, or set TMPDIR to a folder of your own."
            )
        self.socket_dir.chmod(0o700)
        for left_over in self.socket_dir.glob(".s.PGSQL.*"):  # no server of ours runs, but its pid may live on
            left_over.unlink()

    def _require_disk(self) -> None:
        folder, need = self.path.parent, MIN_FREE_BYTES >> 20
        free = shutil.disk_usage(folder).free >> 20
        if free < need:
            raise EmbeddedPostgresError(f"PostgreSQL needs {need} MB of free disk in {folder}; there are {free} MB.")

    def _set_aside(self) -> None:
        """An abandoned cluster is kept under another name until the next one is."""
        if self.is_abandoned():
            aside = self.path.with_name(f"{self.path.name}.aside")
            shutil.rmtree(aside, ignore_errors=True)
            self.path.rename(aside)

    def _pass_over_stale_pid(self) -> None:
        """Keep a re-used pid in postmaster.pid from blocking the start.

        PostgreSQL refuses to start while any process has the pid noted there, but takes its parent's for stale. The
        file itself stays: it leads PostgreSQL to shared memory that children of a killed server may still use.
        """
        pid = self._noted_pid()
        if pid is None:
            return
        file = self.path / "postmaster.pid"
        with file.open("r+") as note:
            rest = note.readlines()[1:]
            note.seek(0)
            note.writelines([f"{os.getpid()}\n", *rest])
            note.truncate()

    def _noted_pid(self) -> int | None:
        try:
            return int((self.path / "postmaster.pid").read_text().splitlines()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
