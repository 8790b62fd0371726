"""What apps above orders have on "Needs attention": registered, since imports go one way."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from labportal.labs.models import Lab

Item = dict[str, Any]  # as templates/intake/_item.html shows it


@dataclass(frozen=True)
class Concern:
    """One kind of thing that a person must see to: its heading, how many there are, and the newest of them."""

    title: str
    count: Callable[[Lab], int]
    items: Callable[[Lab], list[Item]]


_concerns: list[Concern] = []


def on_attention(concern: Concern) -> None:
    """Register what is shown as a part of its own, and counts in the menu."""
    _concerns.append(concern)


def concerns(lab: Lab) -> list[dict[str, Any]]:
    """The parts that are not empty."""
    found = [(concern, concern.count(lab)) for concern in _concerns]
    return [{"title": concern.title, "total": total, "items": concern.items(lab)} for concern, total in found if total]


def concerns_count(lab: Lab) -> int:
    return sum(concern.count(lab) for concern in _concerns)
