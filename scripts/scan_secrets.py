"""Looks for secrets that were written into the project's files. Exits with 1 and names each place, never the secret.

Run by `make lint`. What is meant to stand there (the demo's public password, a test's sample) either matches no rule or
carries `not a secret: WHY` on its line.
"""

import math
import re
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = {".git", ".venv", ".uv", ".data", ".import_linter_cache", "__pycache__", "node_modules", "staticfiles"}
SKIPPED |= {".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
ENDS_UNREAD = {".png", ".jpg", ".woff2", ".zip", ".stl", ".ply", ".pdf", ".pyc"}
LOCKS = {"uv.lock", "package-lock.json"}  # hundreds of checksums, made by programs
LARGEST = 2_000_000
MEANT = "not a secret:"

# The form alone says what it is.
FORMS = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "AWS key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "GitHub token": re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{60,})\b"),
    "Slack token": re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{20,}"),
    "Google key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "token of a web service (JWT)": re.compile(r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}"),
    "sealing key": re.compile(r"(?<![0-9A-Za-z_-])[0-9A-Za-z_-]{43}=(?![0-9A-Za-z=])"),
    "database password": re.compile(r"postgres(?:ql)?://[^:/\s\"']+:[0-9A-Za-z_+-]{20,}@"),
}
OURS = re.compile(r"\b(lp_[0-9A-Za-z]{8}_[0-9A-Za-z]{43})([0-9A-Za-z]{6})\b")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
# A name that says it, and a value that looks drawn by lot.
NAMED = re.compile(
    r"(?i)(?:password|passwd|secret|token|api_?key|private_?key)\w*[\"']?\s*[:=]\s*[\"']?([0-9A-Za-z+/_=-]{20,})[\"']?"
)
DRAWN_BY_LOT = 3.8  # bits a character; words and paths have less


def findings(text: str) -> Iterator[tuple[int, str]]:
    """(line, kind) of each."""
    for number, line in enumerate(text.splitlines(), 1):
        if MEANT in line:
            continue
        yield from ((number, kind) for kind, form in FORMS.items() if form.search(line))
        yield from ((number, "API key of this portal") for found in OURS.finditer(line) if _checks(*found.groups()))
        yield from ((number, "named secret") for found in NAMED.finditer(line) if _by_lot(found[1]))


def _checks(body: str, check: str) -> bool:
    """As connector/lms/key_text.py makes it: what only looks like a key has another checksum."""
    value = 0
    for letter in check:
        value = value * len(DIGITS) + DIGITS.index(letter)
    return value == zlib.crc32(body.encode())


def _by_lot(value: str) -> bool:
    has_all = all(re.search(kind, value) for kind in ("[0-9]", "[a-z]", "[A-Z]"))
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values())
    return has_all and bits >= DRAWN_BY_LOT


def files(folder: Path) -> Iterator[Path]:
    """Every file of the project that a person wrote."""
    for path in sorted(folder.iterdir()):
        if path.name in SKIPPED or path.is_symlink():
            continue
        if path.is_dir():
            yield from files(path)
        elif path.name not in LOCKS and path.suffix not in ENDS_UNREAD and path.stat().st_size <= LARGEST:
            yield path


def main(folder: Path) -> int:
    found = read = 0
    for path in files(folder):
        read += 1
        for line, kind in findings(path.read_text(errors="replace")):
            found += 1
            sys.stdout.write(f"{path.relative_to(folder)}:{line}: {kind}\n")
    sys.stdout.write(f"Secrets: {read} files read, {found} found.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT))
