"""Reading a page like a person: its rows, its words, its links."""

import html
import re
from typing import Any

from django.test import Client

from connector.orders.models import Order, Revision
from labportal.labs.tenancy import in_lab


def rows(answer: Any) -> list[str]:
    """The order ids of the list, top to bottom."""
    return [row["order_id"] for row in answer.context["rows"]]


def text_of(answer: Any) -> str:
    """The words of a page without its tags, spaces joined."""
    content = re.sub(r"(?s)<(script|style).*?</\1>", " ", answer.content.decode())
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", content)).split())


def search(client: Client, words: str, **filters: str) -> Any:
    """What the field of the inbox leads to."""
    return client.post("/search", {"q": words, **filters}, follow=True)


def counts(answer: Any) -> dict[str, int | None]:
    return {lane["key"]: lane["count"] for lane in answer.context["nav"]["lanes"]}


def open_case(client: Client, order: Order, **query: Any) -> Any:
    return client.get(f"/cases/{order.pk}", query)


def set_revision(order: Order, number: int = 1, **changes: Any) -> None:
    with in_lab(order.lab_id):
        Revision.objects.of(order.lab_id).filter(order=order, number=number).update(**changes)
