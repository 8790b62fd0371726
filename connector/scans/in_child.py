"""The child's side: limits before anything is read, the answer as JSON, its kind as exit code."""

import json
import resource
import sys
from collections.abc import Callable

from connector.scans.rejection import ArchiveRejected

# Above what Python and shells use.
EXIT_NO_MEMORY, EXIT_REJECTED = 86, 87


def answer(work: Callable[..., object]) -> int:
    """Called with `CPU MEMORY ARGUMENTS` on the command line: `work(*ARGUMENTS)` under limits; the exit code."""
    seconds, memory, *arguments = sys.argv[1:]
    limit_this_process(int(seconds), int(memory))
    try:
        document, code = work(*arguments), 0
    except ArchiveRejected as refusal:
        document, code = {"rejected": refusal.code, "member": refusal.member_label}, EXIT_REJECTED
    except MemoryError:
        return EXIT_NO_MEMORY
    json.dump(document, sys.stdout)
    return code


def limit_this_process(seconds: int, memory: int) -> None:
    """Bytes of address space, CPU seconds, file size, no core file."""
    for kind, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 256 * 1024 * 1024),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (wanted, _hard(kind, wanted, hard)))


def _hard(kind: int, wanted: int, hard: int) -> int:
    """Of CPU a second more: at the hard limit comes SIGKILL, which does not say why, and at the soft one SIGXCPU."""
    return wanted + 1 if kind == resource.RLIMIT_CPU and wanted != hard else wanted
