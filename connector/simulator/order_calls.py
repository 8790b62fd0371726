"""Get Orders, Get Order By RxID and Return to doctor, as calls."""

import base64
import binascii
from typing import Any
from urllib.parse import urlencode

from connector.simulator import oauth, orders
from connector.simulator.clock import iso_milliseconds, iso_seconds
from connector.simulator.cloud import Cloud
from connector.simulator.messages import Refusal, Request, Response, json_response
from connector.simulator.records import Account, Order
from connector.simulator.spelling import MISSING, read, read_text, render

LARGEST_PAGE = 100


def get_orders(cloud: Cloud, request: Request) -> Response:
    """Get Orders: new ones only, in pages."""
    account = oauth.paired(cloud, request)
    paging = cloud.dialect.paging[cloud.options.paging]
    size = min(_number(request, paging.size, LARGEST_PAGE, least=1), LARGEST_PAGE)
    new = orders.listed(cloud, account.account_id)
    facts: dict[str, Any] = {"next": None}
    start = 0
    if cloud.options.paging == "page":
        page = _number(request, paging.position, 1, least=1)
        start = (page - 1) * size
        facts |= {"page": page, "pages": max(1, -(-len(new) // size))}
    elif cloud.options.paging == "offset":
        start = _number(request, paging.position, 0, least=0)
        facts |= {"offset": start, "total": len(new)}
    else:
        # A cursor names the last order seen, so orders that leave the list between two pages shift nothing.
        after = _cursor(request.query.get(paging.position, ""))
        new = [order for order in new if (order.updated, order.order_id) > after]
        if len(new) > size:
            link = urlencode({paging.size: str(size), paging.position: _as_cursor(new[size - 1])})
            facts["next"] = f"{request.base}{request.path}?{link}"
    facts["orders"] = [in_words(cloud, order) for order in new[start : start + size]]
    return json_response(render(paging.answer, facts))


def _number(request: Request, name: str, standard: int, *, least: int) -> int:
    text = request.query.get(name, str(standard))
    if not text.isdigit() or int(text) < least:
        raise Refusal(400, "bad_request", f"{name} must be a number of at least {least}.")
    return int(text)


def _as_cursor(order: Order) -> str:
    return base64.urlsafe_b64encode(f"{order.updated!r} {order.order_id}".encode()).decode()


def _cursor(text: str) -> tuple[float, str]:
    if not text:
        return 0.0, ""
    try:
        updated, _, order_id = base64.urlsafe_b64decode(text).decode().partition(" ")
        return float(updated), order_id
    except (binascii.Error, ValueError):
        raise Refusal(400, "bad_request", "The cursor is not one of ours.") from None


def get_by_rx_id(cloud: Cloud, request: Request) -> Response:
    """Get Order By RxID: any status, at any time; another account's order is unknown here."""
    account = oauth.paired(cloud, request)
    rx_id = str(read(cloud.call("orderByRxId"), request, "rx_id") or "").lower()
    with cloud.world.lock:
        found = [order for order in cloud.world.orders.values() if order.rx_id == rx_id]
    if not found or found[0].account_id != account.account_id:
        raise Refusal(404, "not_found", "There is no order with this RxID.")
    return json_response(render(cloud.call("orderByRxId").answer, {"order": in_words(cloud, found[0])}))


def own_order(cloud: Cloud, account: Account, order_id: str) -> Order:
    """An order by its id; 404 when unknown, 403 when another account's."""
    order = orders.find(cloud, order_id)
    if order.account_id != account.account_id:
        raise Refusal(403, "other_account", "This order belongs to another account.")
    return order


def return_to_doctor(cloud: Cloud, request: Request) -> Response:
    """Return to doctor with a reason and a comment, both optional."""
    account = oauth.paired(cloud, request)
    call = cloud.call("return")
    order = own_order(cloud, account, str(read(call, request, "order_id")))
    reason, comment = read_text(call, request, "reason"), read_text(call, request, "comment")
    orders.send_back(cloud, order, reason, comment, f"account {account.account_id}")
    if call.status == 204:
        return Response(204)
    return json_response(render(call.answer, {"order_id": order.order_id, "status": order.status}))


def in_words(cloud: Cloud, order: Order) -> Any:
    """An order as the dialect spells it."""
    dialect = cloud.dialect
    revision = order.latest
    spec = orders.spec_of(order, revision.number, revision.updated)
    ready = order.status not in orders.WITHOUT_FILES
    sizes = {"full": revision.size, "thumbnails": revision.size_thumbnails}
    facts = {name: getattr(spec, name) for name in _SPEC_FACTS}
    facts |= {
        "order_id": MISSING if order.malformed else order.order_id,
        "rx_id": order.rx_id,
        "account_id": order.account_id,
        "status": order.status,
        "updated": iso_milliseconds(order.updated),
        "scanned": iso_seconds(revision.updated),
        "due": spec.due_date.isoformat(),
        "first": spec.patient_first,
        "last": spec.patient_last,
        "chart": spec.chart_number,
        "items": [render(dialect.item, {name: getattr(item, name) for name in _ITEM_FACTS}) for item in spec.items],
        "assets": [
            render(dialect.asset, {"type": dialect.assets[asset], "size": size, "ready": ready})
            for asset, size in sizes.items()
        ],
    }
    return render(dialect.order, facts)


_SPEC_FACTS = (
    "order_code",
    "doctor_id",
    "doctor_name",
    "doctor_license",
    "practice_id",
    "practice_name",
    "practice_address",
    "procedure",
    "case_type",
    "notes",
)
_ITEM_FACTS = ("tooth", "treatment", "material", "shade_system", "incisal", "body", "gingival")
