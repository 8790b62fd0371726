"""What a run of the matrix found."""

from dataclasses import dataclass, field


@dataclass
class Findings:
    """What a run found; `cells` is how many requests were made."""

    cells: int = 0
    leaks: set[str] = field(default_factory=set)
    differing: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    crashed: set[str] = field(default_factory=set)
    # (visitor, method, address) whose answer had a word of another's, and those that showed the visitor's own.
    leaking: set[tuple[str, str, str]] = field(default_factory=set)
    shown: set[tuple[str, str, str]] = field(default_factory=set)

    def all(self) -> set[str]:
        return self.leaks | self.differing | self.changed | self.crashed

    def add(self, other: "Findings") -> None:
        self.cells += other.cells
        for name in ("leaks", "differing", "changed", "crashed", "leaking", "shown"):
            getattr(self, name).update(getattr(other, name))
