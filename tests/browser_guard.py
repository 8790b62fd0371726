"""Says how many browser tests did not run for want of Chromium; REQUIRE_BROWSER=1 makes that a failure."""

import os
import shutil
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
LEFT_OUT = pytest.StashKey[int]()


def find_chromium() -> str | None:
    """The path of the browser that the tests drive, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def pytest_configure(config: pytest.Config) -> None:
    """Of several processes the one that prints: the others' refusal would be seen by nobody."""
    several = getattr(config.option, "numprocesses", None)
    if several and not find_chromium() and os.environ.get("REQUIRE_BROWSER") == "1":
        raise pytest.UsageError(f"the browser tests cannot run and are required: {_advice()}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests marked `browser` when there is none; refuse to begin when they are required."""
    if find_chromium():
        return
    left_out = [item for item in items if item.get_closest_marker("browser")]
    if left_out and os.environ.get("REQUIRE_BROWSER") == "1":
        raise pytest.UsageError(f"{len(left_out)} browser tests cannot run and are required: {_advice()}")
    config.stash[LEFT_OUT] = len(left_out)
    if (told := _told(config)) is not None:
        told["left_out"] = len(left_out)
    items[:] = [item for item in items if item not in left_out]
    if left_out:
        config.hook.pytest_deselected(items=left_out)


def _told(config: pytest.Config) -> dict[str, Any] | None:
    """What one of several processes (pytest-xdist) tells the one that prints."""
    return getattr(config, "workeroutput", None)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)  # each collects all tests


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line above the closing one, only when something was left out."""
    count = config.stash.get(LEFT_OUT, 0)
    if count:
        terminalreporter.write_line(f"{count} browser tests did not run: {_advice()}", yellow=True)


def _advice() -> str:
    return f"none of {', '.join(NAMES)} is installed (Debian: apt-get install chromium)"
