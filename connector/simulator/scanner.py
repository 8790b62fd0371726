"""The scanning tool: creates orders without a scanner, as Align offers to its partners for their tests."""

from typing import Any

from connector.simulator import oauth, orders
from connector.simulator.cases import BROKEN_KINDS
from connector.simulator.cloud import Cloud
from connector.simulator.messages import Refusal, Request, Response, json_response

SCANNER = ("scanner", "scanner-demo")
PROCEDURES = {1: "restorative", 2: "orthodontic"}
LARGEST_JAW = 2_000_000  # triangles


def create_new_order(cloud: Cloud, request: Request) -> Response:
    """`{"orderId", "rxId"}` of a new order that is ready for download; 400 in words otherwise."""
    if oauth.basic_credentials(request) != SCANNER:
        headers = {"WWW-Authenticate": 'Basic realm="scanning tool"'}
        raise Refusal(401, "unauthorized", "The scanning tool needs its own user and password.", headers=headers)
    order = orders.create(cloud, _wish(cloud, request.json()))
    return json_response({"orderId": order.order_id, "rxId": order.rx_id}, 201)


def _wish(cloud: Cloud, body: dict[str, Any]) -> orders.Wish:
    company = _whole_number(body, "companyId")
    if company not in cloud.world.accounts:
        raise _bad(f"companyId {company} is not an account; there are {sorted(cloud.world.accounts)}.")
    procedure = _whole_number(body, "procedureMapId")
    if procedure not in PROCEDURES:
        raise _bad("procedureMapId is 1 (restorative) or 2 (orthodontic).")
    if not _text(body, "scannerSerialNumber"):
        raise _bad("scannerSerialNumber is missing.")
    return orders.Wish(
        account_id=company,
        family=_one_of(body, "family", tuple(PROCEDURES.values()), PROCEDURES[procedure]),
        triangles=_triangles(body),
        seed=_whole_number(body, "seed") if "seed" in body else None,
        patient=_patient(body),
        notify=_yes(body, "notify", True),
        malformed=_yes(body, "malformed", False),
        zip_kind=_one_of(body, "zip", ("normal", *BROKEN_KINDS), "normal"),
    )


def _patient(body: dict[str, Any]) -> tuple[str, str, str]:
    patient = body.get("patient")
    if not isinstance(patient, dict):
        raise _bad("patient is missing: firstName, lastName, chartNumber.")
    first, last = _text(patient, "firstName"), _text(patient, "lastName")
    if not first or not last:
        raise _bad("patient needs a firstName and a lastName.")
    return first, last, _text(patient, "chartNumber")


def _triangles(body: dict[str, Any]) -> int:
    if "triangles" not in body:
        return 0
    wanted = _whole_number(body, "triangles")
    if not 1 <= wanted <= LARGEST_JAW:
        raise _bad(f"triangles is a number from 1 to {LARGEST_JAW}.")
    return wanted


def _whole_number(body: dict[str, Any], name: str) -> int:
    value = body.get(name)
    if isinstance(value, bool) or not str(value).isdigit():
        raise _bad(f"{name} is missing or not a whole number.")
    return int(str(value))


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise _bad(f"{name} must be text.")
    return value.strip()


def _yes(body: dict[str, Any], name: str, standard: bool) -> bool:
    value = body.get(name, standard)
    if not isinstance(value, bool):
        raise _bad(f"{name} must be true or false.")
    return value


def _one_of(body: dict[str, Any], name: str, choices: tuple[str, ...], standard: str) -> str:
    value = body.get(name, standard)
    if value not in choices:
        raise _bad(f"{name} is one of {', '.join(choices)}.")
    return str(value)


def _bad(text: str) -> Refusal:
    return Refusal(400, "bad_request", text)
