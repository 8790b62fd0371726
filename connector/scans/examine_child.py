"""The child of an examination: `python -m connector.scans.examine_child CPU MEMORY ZIP FOLDER`, answer as JSON."""

import sys
from pathlib import Path

from connector.scans.in_child import answer
from connector.scans.record_json import write_record


def examined(path: str, out_dir: str) -> object:
    """Examine under limits."""
    # Imported under the limits, and here only: numpy and Pillow stay out of the portal's own processes.
    from connector.scans.examiner import examine_here

    return write_record(examine_here(Path(path), Path(out_dir)))


if __name__ == "__main__":
    sys.exit(answer(examined))
