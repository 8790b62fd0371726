"""The child of a check: `python -m connector.scans.check_child CPU MEMORY ZIP`. The standard library and the guard."""

import sys
from pathlib import Path

from connector.scans.in_child import answer


def checked(path: str) -> object:
    """`{}`, or the `errno` of a disk that can't be read, which says nothing about the zip."""
    from connector.scans.archive import check_archive  # imported under the limits

    try:
        check_archive(Path(path))
    except OSError as error:
        return {"errno": error.errno}
    return {}


if __name__ == "__main__":
    sys.exit(answer(checked))
