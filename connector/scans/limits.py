"""How much a zip may claim before it is refused."""

from dataclasses import dataclass

MIB = 1 << 20
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one zip, sizes in bytes; a full-arch scan is 20 to 200 MB, so these are wide."""

    file_size: int = 4 * GIB
    members: int = 500
    directory_size: int = 2 * MIB
    inflated: int = 8 * GIB
    ratio: int = 200
    # A text file of this size may pack better than the ratio; all such files together are bounded by `free_in_all`.
    free_per_member: int = MIB
    free_in_all: int = 16 * MIB


LIMITS = Limits()
