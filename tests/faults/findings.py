"""What the oracle counts."""

from dataclasses import dataclass, field, fields


@dataclass
class Findings:
    """`lost`: scans that Align showed and the lab neither has nor is told about · `wrong`: stored with other bytes ·
    `duplicates`: a scan, an event or a return that is there twice · `stuck`: leases, pushes, runs that nobody ends ·
    `leaked`: places with patient names or tokens · `unwanted`: calls to Align while it had asked for silence, and too
    many of them in one minute · `explained`: not here, and the page says why and what to do."""

    orders: int = 0
    lost: int = 0
    wrong: int = 0
    duplicates: int = 0
    stuck: int = 0
    leaked: int = 0
    unwanted: int = 0
    explained: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def bad(self) -> int:
        return self.lost + self.wrong + self.duplicates + self.stuck + self.leaked + self.unwanted

    def count(self, what: str, note: str, number: int = 1) -> None:
        if number > 0:
            setattr(self, what, getattr(self, what) + number)
            self.notes.append(f"{what}: {note}")

    def add(self, other: "Findings") -> None:
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))
