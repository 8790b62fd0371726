"""Other ways to name a thing than the address: words of a search, filters, cursors, and headers about a file."""

from collections.abc import Iterator
from urllib.parse import quote
from uuid import UUID

from connector.lms.cursor import Position
from connector.orders.paging import cursor_after
from tests.isolation.world import World
from tests.matrix.addresses import ADDRESSES, path_of
from tests.matrix.cells import FOREIGN, RANDOM, Cell, ids_of, nothing
from tests.matrix.visitors import Visitor

# Address → what may stand behind the "?", with a value of another lab's.
ASKED = {
    "inbox": (
        "lane=all&q={mark}", "lane=all&q={order}", "lane=all&q={rx}", "lane=all&doctor={mark}",
        "lane=all&connection={pairing_id}", "lane=all&sort=received&after={after}", "lane=done&q={mark}",
    ),
    "find": ("q={rx}", "q={order}", "q={mark}"),
    "audit": ("case={order_id}", "case={order}", "who={membership_id}", "who={key_prefix}"),
    "audit_export": ("case={order_id}&format=json", "case={order}", "who={membership_id}"),
    "data": ("days=1&q={mark}", "days=1&order={order_id}"),
    "connect_callback": ("state={mark}&code=x", "state={attempt_id}&code=x"),
    "choose_account": ("account={mark}1",),
    "lms:orders": ("cursor={cursor}", "cursor={cursor}&limit=1", "updated_since=2000-01-01T00:00:00Z&q={mark}"),
}  # fmt: skip
SEARCHED_BY_FORM = {"search": "q", "patient_data": "q", "find_ask": "q"}
FILES = ("thumbnail", "file", "preview", "picture", "revision_zip", "lms:file", "lms:zip")


def asked_of(visitor: Visitor) -> Iterator[Cell]:
    """Searches, filters and cursors with another lab's values; each beside the same with values of nothing."""
    for other in visitor.others:
        for name, queries in ASKED.items():
            for query in queries:
                for kind, values in ((FOREIGN, _values(other)), (RANDOM, _of_nothing(other))):
                    ids = nothing() if kind == RANDOM else ids_of(other)
                    asked = query.format_map({key: quote(value) for key, value in values.items()})
                    path = f"{path_of(name, ids)}?{asked}"
                    yield Cell(name, "GET", kind, path, way=f"{query} {other.mark}", word=_word(query, values))
        for name, field in SEARCHED_BY_FORM.items():
            for what in ("mark", "order", "rx"):
                for kind, values in ((FOREIGN, _values(other)), (RANDOM, _of_nothing(other))):
                    form, way = {field: values[what]}, f"{what} {other.mark}"
                    yield Cell(name, "POST", kind, ADDRESSES[name], form, way=way, word=values[what], refused=False)


def files_of(visitor: Visitor, etags: dict[tuple[str, str], str]) -> Iterator[Cell]:
    """Files of another lab, asked for as by somebody who has them: `etags` are the true ones, by mark and name."""
    for other in visitor.others:
        for name in FILES:
            etag = etags[other.mark, name]
            for headers in (
                {"If-None-Match": etag},
                {"If-Match": etag},
                {"Range": "bytes=0-3"},
                {"Range": "bytes=0-3", "If-Range": etag},
                {"Range": "bytes=99999999-"},
                {"If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
            ):
                for kind, ids in ((FOREIGN, ids_of(other)), (RANDOM, nothing())):
                    yield Cell(name, "GET", kind, path_of(name, ids), headers=headers, way=f"{headers} {other.mark}")


def _values(world: World) -> dict[str, str]:
    order = world.order
    return ids_of(world) | {
        "mark": world.mark, "order": order.order_id, "rx": order.rx_id, "key_prefix": world.key.prefix,
        "cursor": Position(order.updated_at, order.pk).cursor,
        "after": cursor_after({"key": order.received_at, "id": order.pk}),
    }  # fmt: skip


def _of_nothing(world: World) -> dict[str, str]:
    """Of the same shape and length, and of nobody; the cursors are of the same moment, which is not the other lab's."""
    order, none = world.order, nothing()
    mark = f"QQ{'z' * (len(world.mark) - 4)}QQ"
    return none | {
        "mark": mark, "order": f"{mark}2", "rx": none["order_id"],
        "key_prefix": "x" * len(world.key.prefix),
        "cursor": Position(order.updated_at, UUID(none["order_id"])).cursor,
        "after": cursor_after({"key": order.received_at, "id": none["order_id"]}),
    }  # fmt: skip


def _word(query: str, values: dict[str, str]) -> str:
    """What the page may say back."""
    return values[query.partition("{")[2].partition("}")[0]]
