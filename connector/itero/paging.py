"""Going through Get Orders' pages in three manners, with an end in every case."""

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urljoin

from connector.itero.errors import BadAnswer
from connector.itero.order_reader import read_list
from connector.itero.outgoing import Outgoing, Value, build
from connector.itero.profile_sections import OrdersCall
from connector.itero.reading import Json, dig, pick, text, whole

Ask = Callable[[Outgoing], Json]


def pages(call: OrdersCall, url: str, ask: Ask) -> Iterator[list[Json]]:
    """The items of each page. Raises BadAnswer when a page repeats, or when there are more than the profile allows."""
    seen: set[int] = set()
    walk = {"page": _by_page, "offset": _by_offset, "next": _by_link}[call.style]
    for count, items in enumerate(walk(call, url, ask), start=1):
        if count > call.max_pages:
            raise BadAnswer("more pages than the profile allows", call="get_orders")
        # Equal pages mean that the server ignores our page number: without this, its first page for ever.
        fingerprint = hash(repr(items))
        if items and fingerprint in seen:
            raise BadAnswer("the same page came twice", call="get_orders")
        seen.add(fingerprint)
        yield items


def _fetch(call: OrdersCall, url: str, ask: Ask, values: dict[str, Value]) -> tuple[Json, list[Json]]:
    answer = ask(build(call.call, url, {**values, "size": call.size}))
    return answer, _items(call, answer)


def _items(call: OrdersCall, answer: Json) -> list[Json]:
    """Some servers write null for a list of none. A list that is not there at all is an answer of another shape."""
    holder = dig(answer, call.items[:-1])
    if call.items and isinstance(holder, Mapping) and holder.get(call.items[-1], answer) is None:
        return []
    return read_list(answer, call.items, "orders")


def _total(answer: Json, path: tuple[str, ...]) -> int | None:
    """A declared total; None when the profile knows none; raises BadAnswer when it should be there and is not."""
    if not path:
        return None
    found = whole(dig(answer, path))
    if found is None:
        raise BadAnswer(f"the list of orders has no {path[-1]}", call="get_orders")
    return found


def _by_page(call: OrdersCall, url: str, ask: Ask) -> Iterator[list[Json]]:
    number = 0
    while True:
        answer, items = _fetch(call, url, ask, {"page": call.first_page + number})
        total = _total(answer, call.total_pages)
        number += 1
        yield items
        if not items or (len(items) < call.size if total is None else number >= total):
            return


def _by_offset(call: OrdersCall, url: str, ask: Ask) -> Iterator[list[Json]]:
    offset = 0
    while True:
        answer, items = _fetch(call, url, ask, {"offset": offset})
        total = _total(answer, call.total_count)
        offset += len(items)
        yield items
        if not items or (len(items) < call.size if total is None else offset >= total):
            return


def _by_link(call: OrdersCall, url: str, ask: Ask) -> Iterator[list[Json]]:
    answer, items = _fetch(call, url, ask, {})
    visited = {url}
    while True:
        yield items
        link = text(pick(answer, call.next_link))
        if not link:
            return
        url = urljoin(url, link)
        if url in visited:
            raise BadAnswer("the next page's address was there before", call="get_orders")
        visited.add(url)
        answer = ask(Outgoing(call.call.method, url))
        items = _items(call, answer)
