"""What the processes of `make isolation` found: the table that is printed, and by the whole run docs/isolation.md."""

from dataclasses import dataclass, field
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "isolation.md"
TEMPLATE = Path(__file__).parent / "isolation.md.in"
HEAD = ("What", "Requests", "Leaks", "Telling differences", "Changed rows", "Crashes")


@dataclass
class Result:
    """`rows`: how many requests and findings of each kind, in HEAD's order; `proofs`: passed tests, by file; `skipped`
    names the tests that were: a proof that is left out is none."""

    rows: dict[str, list[int]] = field(default_factory=dict)
    proofs: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, other: "Result") -> None:
        for name, counts in other.rows.items():
            mine = self.rows.get(name, [0] * len(counts))
            self.rows[name] = [one + another for one, another in zip(mine, counts, strict=True)]
        for file, passed in other.proofs.items():
            self.proofs[file] = self.proofs.get(file, 0) + passed
        self.skipped += other.skipped


def _lines(result: Result) -> list[tuple[str, ...]]:
    return [HEAD, *((name, *(f"{count:,}" for count in counts)) for name, counts in result.rows.items())]


def printed(result: Result) -> str:
    lines = _lines(result)
    widths = [max(len(line[place]) for line in lines) for place in range(len(HEAD))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    skipped = [f"left out, so this run proves nothing: {name}" for name in result.skipped]
    minutes, seconds = divmod(round(result.seconds), 60)
    passed = sum(result.proofs.values())
    return "\n".join([*table, *skipped, f"{passed:,} tests passed; the run took {minutes} min {seconds} s."])


def write(result: Result) -> None:
    head, *rows = ["| " + " | ".join(line) + " |" for line in _lines(result)]
    proofs = [f"| `{file}` | {passed} |" for file, passed in sorted(result.proofs.items())]
    text = TEMPLATE.read_text()
    text = text.replace("{{matrix}}", "\n".join([head, "|---|" + "---:|" * (len(HEAD) - 1), *rows]))
    text = text.replace("{{proofs}}", "\n".join(proofs)).replace("{{minutes}}", f"{result.seconds / 60:.0f}")
    PAGE.write_text(text)
