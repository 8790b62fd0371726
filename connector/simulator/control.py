"""The back door of the simulator: `/_sim` for tests and the buttons of the control page. Align has nothing like it."""

from collections.abc import Callable
from typing import Any

from connector.simulator import orders
from connector.simulator.cases import BROKEN_KINDS
from connector.simulator.cloud import Cloud
from connector.simulator.control_pages import control_page
from connector.simulator.messages import Refusal, Request, Response, html_response, json_response, redirect
from connector.simulator.records import Order
from connector.simulator.state import REGIONS
from connector.simulator.truth import truth


def show_page(cloud: Cloud, request: Request) -> Response:
    return html_response(control_page(cloud, truth(cloud)))


def show_truth(cloud: Cloud, request: Request) -> Response:
    return json_response(truth(cloud))


def show_faults(cloud: Cloud, request: Request) -> Response:
    return json_response({"faults": cloud.faults.listing()})


def show_asked(cloud: Cloud, request: Request) -> Response:
    """Every address that was asked for since the start, but for the back door's; the oldest are forgotten at last."""
    return json_response({"asked": list(cloud.asked), "forgotten": len(cloud.asked) == cloud.asked.maxlen})


def set_fault(cloud: Cloud, request: Request) -> Response:
    return _done(request, {"call": cloud.faults.add(request.fields()).call}, 201)


def clear_faults(cloud: Cloud, request: Request) -> Response:
    cloud.faults.clear()
    return _done(request, {"faults": []})


def move_clock(cloud: Cloud, request: Request) -> Response:
    now = cloud.clock.advance(_number(request.fields().get("advance"), "advance"))
    orders.take_due_steps(cloud)  # so that whoever moved the clock sees what it brought
    return _done(request, {"now": now})


def move_region(cloud: Cloud, request: Request) -> Response:
    given = request.fields()
    account = cloud.world.accounts.get(int(_number(given.get("accountId"), "accountId")))
    region = given.get("region")
    if account is None or region not in REGIONS:
        raise Refusal(400, "bad_request", f"accountId is an account and region one of {', '.join(REGIONS)}.")
    with cloud.world.change():
        account.region = str(region)
    return _done(request, {"accountId": account.account_id, "region": account.region})


def turn_switches(cloud: Cloud, request: Request) -> Response:
    with cloud.world.lock:
        cloud.switches.turn(request.fields())
    return _done(request, {"switches": vars(cloud.switches)})


def new_order(cloud: Cloud, request: Request) -> Response:
    """The control page's own way to a new order, without the scanning tool's password."""
    given = request.fields()
    account_id = int(_number(given.get("account_id"), "account_id"))
    if account_id not in cloud.world.accounts:
        raise Refusal(400, "bad_request", f"There is no account {account_id}.")
    family, zip_kind = str(given.get("family") or ""), str(given.get("zip") or "normal")
    if zip_kind not in ("normal", *BROKEN_KINDS):
        raise Refusal(400, "bad_request", f"zip is normal or one of {', '.join(BROKEN_KINDS)}.")
    order = orders.create(cloud, orders.Wish(account_id, family, zip_kind=zip_kind))
    return _done(request, {"orderId": order.order_id, "rxId": order.rx_id}, 201)


def model(cloud: Cloud, request: Request) -> Response:
    return _on_order(cloud, request, orders.start_modeling)


def mill(cloud: Cloud, request: Request) -> Response:
    return _on_order(cloud, request, orders.start_milling)


def interpret_again(cloud: Cloud, request: Request) -> Response:
    return _on_order(cloud, request, orders.interpret_again)


def send_back(cloud: Cloud, request: Request) -> Response:
    given = request.fields()
    order = orders.find(cloud, request.params["order_id"])
    reason, comment = str(given.get("reason") or ""), str(given.get("comment") or "")
    orders.send_back(cloud, order, reason, comment, "the vendor's portal")
    return _done(request, {"status": order.status})


def set_status(cloud: Cloud, request: Request) -> Response:
    given = request.fields()
    status = given.get("status")
    if not isinstance(status, str) or not status:
        raise Refusal(400, "bad_request", "status must be a text.")
    order = orders.find(cloud, request.params["order_id"])
    orders.set_status(cloud, order, status, list_again=bool(given.get("listed")))
    return _done(request, {"status": order.status})


def notify_again(cloud: Cloud, request: Request) -> Response:
    order = orders.find(cloud, request.params["order_id"])
    cloud.notifier.tell(order.rx_id, order.account_id, cloud.switches.callback)
    return _done(request, {"rxId": order.rx_id})


def _on_order(cloud: Cloud, request: Request, act: Callable[[Cloud, Order], None]) -> Response:
    order = orders.find(cloud, request.params["order_id"])
    act(cloud, order)
    return _done(request, {"status": order.status})


def _number(value: Any, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise Refusal(400, "bad_request", f"{name} must be a number.") from None


def _done(request: Request, answer: dict[str, Any], status: int = 200) -> Response:
    return redirect("/", 303) if request.is_form else json_response(answer, status)
