"""Asks PyPI's list of advisories about every package that uv.lock names, by pip-audit. Run by `make lint`.

A known weakness fails. A service that can't be reached does not, and is said in one line: pip-audit alone counts a
package that it could not ask about as one without weaknesses. ADVISORIES_OSV_URL asks a server that speaks OSV instead.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 240
# id → why it does not concern us. Looked at again with each release.
ACCEPTED: dict[str, str] = {}


def judge(report: dict[str, Any]) -> tuple[int, str]:
    """(exit status, one line) of pip-audit's JSON report."""
    asked = [each for each in report["dependencies"] if "skip_reason" not in each]
    total = len(report["dependencies"])
    weak = [
        f"{each['name']} {each['version']}: {weakness['id']}"
        + (f" (mended in {', '.join(weakness['fix_versions'])})" if weakness["fix_versions"] else "")
        for each in asked
        for weakness in each["vulns"]
        if weakness["id"] not in ACCEPTED
    ]
    if weak:
        return 1, "Dependencies with known weaknesses: " + "; ".join(weak)
    if not asked:
        return 0, f"Dependencies: NOT CHECKED, the advisory service knew none of the {total} packages (not reachable?)."
    left = f", {total - len(asked)} could not be asked about" if total > len(asked) else ""
    return 0, f"Dependencies: {len(asked)} packages, no known weakness{left}."


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / "requirements.txt"
        export = [
            str(ROOT / ".uv/bin/uv"), "export", "--frozen", "--all-extras", "--no-emit-project", "--quiet",
            "--output-file", str(named),
        ]  # fmt: skip
        subprocess.run(export, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own uv
        done = _ask(named)
    if done is None:
        status, line = 0, "Dependencies: NOT CHECKED, the advisory service did not answer."
    else:
        status, line = judge(done)
    sys.stdout.write(line + "\n")
    return status


def _ask(named: Path) -> dict[str, Any] | None:
    """pip-audit's report; None when it could not be made."""
    osv = os.environ.get("ADVISORIES_OSV_URL", "")
    service = ["--vulnerability-service", "osv", "--osv-url", osv] if osv else ["--vulnerability-service", "pypi"]
    command = [
        sys.executable, "-m", "pip_audit", "--requirement", str(named), "--disable-pip", "--require-hashes",
        "--format", "json", "--progress-spinner", "off", "--timeout", "10", *service,
    ]  # fmt: skip
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603 - a fixed command
        report: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None
    return report


if __name__ == "__main__":
    sys.exit(main())
