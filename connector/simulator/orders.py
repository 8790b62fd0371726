"""The truth of the orders: how they are made, which are listed, and what happens to them by and by."""

import random
import time
import traceback
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from connector.simulator.cases import CaseSpec, invent_case
from connector.simulator.cloud import Cloud
from connector.simulator.messages import Refusal
from connector.simulator.records import Order, Returned, Revision, Step

READY = "Ready for Download"
REVIEW = "Lab Review"
SCANNING = "Scanning"
MODELING = "iTero Modeling"
MILLING = "iTero Milling"
SHIPPING = "Ready to Ship"
DOWNLOADED = "Downloaded"
COMPLETED = "Completed"
NOT_LISTED = {SCANNING, MODELING, MILLING, SHIPPING, DOWNLOADED, COMPLETED}
NOT_RETURNABLE = {SCANNING, MODELING, MILLING, SHIPPING, COMPLETED}
WITHOUT_FILES = {SCANNING, MODELING}


@dataclass(frozen=True)
class Wish:
    """What a new order should be; empty parts are invented."""

    account_id: int
    family: str = ""
    triangles: int = 0
    seed: int | None = None
    patient: tuple[str, str, str] = ("", "", "")
    notify: bool = True
    malformed: bool = False
    zip_kind: str = "normal"


def spec_of(order: Order, number: int, scanned: float) -> CaseSpec:
    """The case behind one revision of an order."""
    created = datetime.fromtimestamp(order.scanned, UTC)
    family: Literal["restorative", "orthodontic"] = "orthodontic" if order.family == "orthodontic" else "restorative"
    spec = invent_case(order.seed, order.order_id, family=family, triangles=order.triangles, now=created)
    first, last, chart = order.patient
    return replace(
        spec,
        revision=number,
        scan_date=datetime.fromtimestamp(scanned, UTC).replace(microsecond=0),
        patient_first=first or spec.patient_first,
        patient_last=last or spec.patient_last,
        chart_number=chart or spec.chart_number,
    )


def create(cloud: Cloud, wish: Wish) -> Order:
    """Makes an order with its files, ready and listed, and notifies."""
    with cloud.world.change():
        order_id = str(cloud.world.next_number)
        cloud.world.next_number += 1
    now = cloud.clock.now()
    seed = int(order_id) if wish.seed is None else wish.seed
    invented = invent_case(seed, order_id)
    order = Order(
        order_id=order_id,
        rx_id=invented.rx_id,
        account_id=wish.account_id,
        seed=seed,
        family=wish.family or invented.family,
        triangles=wish.triangles or cloud.switches.triangles,
        patient=wish.patient,
        scanned=now,
        status=READY,
        updated=now,
        zip_kind=wish.zip_kind,
        malformed=wish.malformed,
    )
    revision = _build(cloud, order, 1, READY, now)
    with cloud.world.change():
        order.revisions.append(revision)
        cloud.world.orders[order_id] = order
    if wish.notify:
        cloud.notifier.tell(order.rx_id, order.account_id, cloud.switches.callback)
    return order


def _build(cloud: Cloud, order: Order, number: int, status: str, updated: float) -> Revision:
    spec = spec_of(order, number, updated)
    full = cloud.cabinet.store(spec, "full", order.zip_kind)
    thumbnails = cloud.cabinet.store(spec, "thumbnails", order.zip_kind)
    return Revision(number, status, updated, full.sha256, thumbnails.sha256, full.size, thumbnails.size)


def is_listed(order: Order) -> bool:
    """Whether Get Orders shows it: ready, and nobody has downloaded these files."""
    return order.status not in NOT_LISTED and not order.latest.consumed


def listed(cloud: Cloud, account_id: int) -> list[Order]:
    """The new orders of an account, the longest-waiting first."""
    with cloud.world.lock:
        orders = [order for order in cloud.world.orders.values() if order.account_id == account_id and is_listed(order)]
    return sorted(orders, key=lambda order: (order.updated, order.order_id))


def find(cloud: Cloud, order_id: str) -> Order:
    """The order, whoever it belongs to; 404 when unknown."""
    order = cloud.world.orders.get(order_id)
    if order is None:
        raise Refusal(404, "not_found", f"There is no order {order_id}.")
    return order


def send_back(cloud: Cloud, order: Order, reason: str, comment: str, by: str) -> None:
    """Return to doctor; 409 when its status does not allow it."""
    now = cloud.clock.now()
    with cloud.world.change():
        if order.status in NOT_RETURNABLE:
            raise Refusal(409, "not_returnable", f'An order in status "{order.status}" can not be returned.')
        order.returns.append(Returned(now, order.latest.number, reason, comment, by))
        _move(order, SCANNING, now, Step("rescan", now + cloud.switches.rescan_after))


def start_modeling(cloud: Cloud, order: Order) -> None:
    """Somebody asked for modeling in the vendor's portal."""
    now = cloud.clock.now()
    with cloud.world.change():
        _move(order, MODELING, now, Step("review", now + cloud.switches.modeling_after))


def start_milling(cloud: Cloud, order: Order) -> None:
    """A physical model is made; no files change on this way."""
    now = cloud.clock.now()
    with cloud.world.change():
        _move(order, MILLING, now, Step("ship", now + cloud.switches.modeling_after))


def interpret_again(cloud: Cloud, order: Order) -> None:
    """While the model waits to be milled, somebody works on the case once more: new files to review."""
    now = cloud.clock.now()
    with cloud.world.change():
        if order.status != MILLING:
            raise Refusal(409, "not_in_milling", f'An order in status "{order.status}" is not in milling.')
        _move(order, MILLING, now, Step("review", now + cloud.switches.modeling_after))


def set_status(cloud: Cloud, order: Order, status: str, *, list_again: bool) -> None:
    """Any status at all, known or not."""
    with cloud.world.change():
        _move(order, status, cloud.clock.now(), None)
        if list_again:
            order.latest.consumed = False


def _move(order: Order, status: str, now: float, step: Step | None) -> None:
    order.status = status
    order.updated = max(now, order.updated + 0.001)  # a vendor's date never repeats for another status
    order.next_step = step


def take_due_steps(cloud: Cloud) -> None:
    """Carries out every step whose time has come by the vendor's clock."""
    now = cloud.clock.now()
    with cloud.world.lock:
        due = [order for order in cloud.world.orders.values() if order.next_step and order.next_step.due <= now]
    for order in due:
        step = order.next_step
        if step is None:
            continue
        if step.what in ("rescan", "review"):
            _new_files(cloud, order, step, READY if step.what == "rescan" else REVIEW)
            continue
        following = Step("shipped", now + cloud.switches.modeling_after) if step.what == "ship" else None
        with cloud.world.change():
            if order.next_step is step:
                _move(order, SHIPPING if step.what == "ship" else DOWNLOADED, now, following)


def _new_files(cloud: Cloud, order: Order, step: Step, status: str) -> None:
    updated = max(cloud.clock.now(), order.updated + 0.001)
    revision = _build(cloud, order, order.latest.number + 1, status, updated)
    with cloud.world.change():
        if order.next_step is not step:
            return  # somebody changed its status while the files were made
        order.revisions.append(revision)
        _move(order, status, updated, None)
        order.updated = updated
    cloud.notifier.tell(order.rx_id, order.account_id, cloud.switches.callback)


def live_on(cloud: Cloud) -> None:
    """The life of the cloud: due steps, and a new order now and then, until it is stopped."""
    newest = time.monotonic()
    while not cloud.stopping.wait(0.1):
        pause = cloud.switches.new_order_every
        try:
            take_due_steps(cloud)
            if pause > 0 and time.monotonic() - newest >= pause:
                newest = time.monotonic()
                create(cloud, Wish(_some_account(cloud)))
        except Exception:  # a full disk now must not end every re-scan for ever; the step stays due
            traceback.print_exc()


def _some_account(cloud: Cloud) -> int:
    with cloud.world.lock:
        paired = [account.account_id for account in cloud.world.accounts.values() if account.pairing]
        return random.choice(paired or list(cloud.world.accounts))  # noqa: S311 - demo data, no secret
