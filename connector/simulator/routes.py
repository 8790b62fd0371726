"""Which handler answers which address; the vendor's own addresses come from the dialect."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from connector.simulator import accounts, control, downloads, login, oauth, order_calls, scanner
from connector.simulator.accounts import CONNECTOR, IDENTITY
from connector.simulator.cloud import Cloud
from connector.simulator.messages import Refusal, Request, Response
from connector.simulator.spelling import Dialect
from connector.simulator.state import REGIONS

Handler = Callable[[Cloud, Request], Response]


@dataclass(frozen=True)
class Route:
    """One verb at one address; `name` is how faults and counters call it, empty for the back door."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    name: str = ""


CALLS: dict[str, Handler] = {
    "discovery": accounts.discovery,
    "accounts": accounts.accounts,
    "pair": accounts.pair,
    "unpair": accounts.unpair,
    "orders": order_calls.get_orders,
    "orderByRxId": order_calls.get_by_rx_id,
    "download": downloads.download,
    "return": order_calls.return_to_doctor,
    "token": oauth.token,
    "revoke": oauth.revoke,
}
BACK_DOOR: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/", control.show_page),
    ("GET", "/_sim/truth", control.show_truth),
    ("GET", "/_sim/asked", control.show_asked),
    ("GET", "/_sim/faults", control.show_faults),
    ("POST", "/_sim/faults", control.set_fault),
    ("DELETE", "/_sim/faults", control.clear_faults),
    ("POST", "/_sim/faults/clear", control.clear_faults),
    ("POST", "/_sim/clock", control.move_clock),
    ("POST", "/_sim/region", control.move_region),
    ("POST", "/_sim/switches", control.turn_switches),
    ("POST", "/_sim/orders", control.new_order),
    ("POST", "/_sim/orders/{order_id}/model", control.model),
    ("POST", "/_sim/orders/{order_id}/mill", control.mill),
    ("POST", "/_sim/orders/{order_id}/interpret-again", control.interpret_again),
    ("POST", "/_sim/orders/{order_id}/return", control.send_back),
    ("POST", "/_sim/orders/{order_id}/status", control.set_status),
    ("POST", "/_sim/orders/{order_id}/notify", control.notify_again),
    ("POST", "/api/v1/order/create-new-order", scanner.create_new_order),
)


def routes_for(dialect: Dialect) -> list[Route]:
    """All routes of a simulator that speaks this dialect."""
    entrance = dialect.login_page + dialect.authorize
    routes = [Route(method, _pattern(path), handler) for method, path, handler in BACK_DOOR]
    routes += [Route("GET", _pattern(entrance), login.show), Route("POST", _pattern(entrance), login.submit)]
    region = f"/(?P<region>{'|'.join(REGIONS)})"
    for name, call in dialect.calls.items():
        if name in ("token", "revoke"):
            pattern = re.compile(f"(?:{region})?{re.escape(IDENTITY + call.path)}")
        elif name == "discovery":
            pattern = _pattern(CONNECTOR + call.path)
        else:
            pattern = _pattern(call.path, region)
        routes.append(Route(call.method, pattern, CALLS[name], name))
    return routes


def _pattern(path: str, before: str = "") -> re.Pattern[str]:
    return re.compile(before + re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path)))


def resolve(routes: list[Route], request: Request) -> Route:
    """The route of a request, with the request's region and path parameters filled in; 404 or 405 otherwise."""
    others = []
    for route in routes:
        match = route.pattern.fullmatch(request.path)
        if match is None:
            continue
        if route.method != request.method:
            others.append(route.method)
            continue
        request.params = match.groupdict()
        request.region = request.params.pop("region", None)
        return route
    if others:
        raise Refusal(405, "method_not_allowed", "Not with this verb.", headers={"Allow": ", ".join(others)})
    raise Refusal(404, "not_found", "There is nothing at this address.")


def call_name(route: Route, request: Request) -> str:
    """How faults and counters call this request: Get Token and Refresh Token share an address."""
    if route.name == "token" and request.form().get("grant_type") == "refresh_token":
        return "refresh"
    return route.name
