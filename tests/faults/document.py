"""The rows as text for the terminal, and as tables of docs/reliability.md, whose words are reliability.md.in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from labportal.faults import POINTS
from tests.faults.findings import Findings

TEMPLATE = Path(__file__).parent / "reliability.md.in"
HEAD = (
    "Family",
    "Case",
    "Runs",
    "Orders",
    "Lost",
    "Wrong bytes",
    "Duplicates",
    "Stuck",
    "Leaks",
    "Unwanted calls",
    "Told in words",
    "s",
)


class Line(Protocol):
    """What report.Row offers."""

    family: str
    case: str
    control: bool
    runs: int
    seconds: float
    found: Findings

    @property
    def verdict(self) -> str: ...


def _cells(row: Line) -> tuple[str, ...]:
    found = row.found
    counts = (
        found.orders,
        found.lost,
        found.wrong,
        found.duplicates,
        found.stuck,
        found.leaked,
        found.unwanted,
        found.explained,
    )
    return (row.family, row.case, str(row.runs), *(str(count) for count in counts), f"{row.seconds:.0f}")


def _total(rows: Sequence[Line]) -> tuple[str, ...]:
    columns = [[int(cell) for cell in column] for column in zip(*(_cells(row)[2:] for row in rows), strict=True)]
    return ("", f"{len(rows)} cases", *(str(sum(column)) for column in columns))


def as_text(rows: Sequence[Line]) -> str:
    """Aligned columns; a failed case says so at the end of its line."""
    if not rows:
        return "No case was run."
    ordered = sorted(rows, key=lambda row: (row.control, row.family))
    lines = [HEAD, *(_cells(row) for row in ordered)]
    plain = [row for row in ordered if not row.control]
    if plain:
        lines.append(_total(plain))
    widths = [max(len(line[place]) for line in lines) for place in range(len(HEAD))]
    tails = ["", *(f"  {row.verdict}" for row in ordered), ""]
    return "\n".join(
        "  ".join(_padded(cell, width, place) for place, (cell, width) in enumerate(zip(line, widths, strict=True)))
        + tail
        for line, tail in zip(lines, tails, strict=False)
    )


def _padded(cell: str, width: int, place: int) -> str:
    return cell.ljust(width) if place < 2 else cell.rjust(width)


def _markdown(rows: Sequence[Line], *, total: bool) -> str:
    lines = [HEAD, *(_cells(row) for row in rows)]
    if total:
        lines.append(tuple(f"**{cell}**" if cell else "" for cell in _total(rows)))
    rule = "|" + "---|" * 2 + "---:|" * (len(HEAD) - 2)
    text = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([text[0], rule, *text[1:]])


def write(rows: Sequence[Line], machine: str, minutes: float, target: Path) -> None:
    """Fill the template; the figures come from the rows alone."""
    cases = sorted((row for row in rows if not row.control), key=lambda row: row.family)
    controls = sorted((row for row in rows if row.control), key=lambda row: row.family)
    values = {
        "{{machine}}": machine,
        "{{minutes}}": f"{minutes:.0f}",
        "{{cases}}": _markdown(cases, total=True),
        "{{controls}}": _markdown(controls, total=False),
        "{{points}}": "\n".join(f"| `{name}` | {meaning} |" for name, meaning in POINTS.items()),
    }
    text = TEMPLATE.read_text()
    for name, value in values.items():
        text = text.replace(name, value)
    target.write_text(text)
