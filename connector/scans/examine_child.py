"""The child of an examination: `python -m connector.scans.examine_child ZIP FOLDER SECONDS BYTES`, answer as JSON."""

import json
import sys
from pathlib import Path

from connector.scans.examination import EXIT_NO_MEMORY, EXIT_REJECTED, limit_this_process
from connector.scans.record_json import write_record
from connector.scans.rejection import ArchiveRejected


def main(arguments: list[str]) -> int:
    """Examine under limits; the exit code says whether the answer is an examination or a refusal."""
    path, out_dir, seconds, memory = arguments
    limit_this_process(int(seconds), int(memory))
    try:
        # Imported under the limits, and here only: numpy and Pillow stay out of the portal's own processes.
        from connector.scans.examiner import examine_here

        answer = write_record(examine_here(Path(path), Path(out_dir)))
        code = 0
    except ArchiveRejected as refusal:
        answer, code = {"rejected": refusal.code, "member": refusal.member_label}, EXIT_REJECTED
    except MemoryError:
        return EXIT_NO_MEMORY
    json.dump(answer, sys.stdout)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
