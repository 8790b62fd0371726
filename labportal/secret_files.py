"""Secrets that a one-machine portal makes for itself and keeps in DATA_DIR, readable by its own user alone."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path


@dataclass(frozen=True)
class RolePasswords:
    """The passwords of the four database roles that log in (labportal/roles.py)."""

    owner: str = field(repr=False)
    app: str = field(repr=False)
    operator: str = field(repr=False)
    backup: str = field(repr=False)


@dataclass(frozen=True)
class Secrets:
    """What DATA_DIR/secrets.json holds; `token_keys` is the key ring `id:key,id:key`, the first one seals;
    `audit_keys` likewise, the first one signs."""

    secret_key: str = field(repr=False)
    token_keys: str = field(repr=False)
    notification_secret: str = field(repr=False)
    audit_keys: str = field(repr=False)
    role_passwords: RolePasswords = field(repr=False)


def new_password() -> str:
    """A password of 256 random bits, in letters that need no quoting in a URL or a shell."""
    return secrets.token_urlsafe(32)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read (0600), whole or not at all; its missing folder becomes 0700."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def load_or_make_secrets(data_dir: Path) -> Secrets:
    """The secrets of DATA_DIR, made at the first call; one that a later release adds is made when it is missing.

    Losing the file loses the stored Align tokens: it belongs in the backup. Raises json.JSONDecodeError when damaged.
    """
    path = data_dir / "secrets.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    made = asdict(_new_secrets()) | known
    if made != known:
        write_private(path, json.dumps(made, indent=2) + "\n")
    values = {entry.name: made[entry.name] for entry in fields(Secrets)}
    return Secrets(**values | {"role_passwords": RolePasswords(**made["role_passwords"])})


def _new_secrets() -> Secrets:
    fernet_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return Secrets(
        secret_key=secrets.token_urlsafe(50),
        token_keys=f"k1:{fernet_key}",
        notification_secret=new_password(),
        audit_keys=f"a1:{new_password()}",
        role_passwords=RolePasswords(*(new_password() for _ in fields(RolePasswords))),
    )
