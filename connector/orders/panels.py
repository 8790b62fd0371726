"""What apps above orders add to the case page: registered, since imports go one way."""

from collections.abc import Callable
from typing import Any

from connector.orders.models import Order
from labportal.labs.models import Lab, Membership

Panel = dict[str, Any]  # "template", and what that template shows as `panel`
_makers: list[Callable[[Order, Lab, Membership], Panel | None]] = []


def on_case_page(make: Callable[[Order, Lab, Membership], Panel | None]) -> None:
    """Register a panel for the right column; None when there is nothing to show."""
    _makers.append(make)


def panels(order: Order, lab: Lab, membership: Membership) -> list[Panel]:
    return [panel for make in _makers if (panel := make(order, lab, membership))]
