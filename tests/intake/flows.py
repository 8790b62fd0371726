"""A case on its way at Align: how the portal learns of each step, and what must be true of its revisions afterwards."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.urls import reverse

from connector.intake.models import Reconciliation, SyncRun
from connector.intake.reconcile import reconcile
from connector.orders.models import RevisionState
from labportal.labs.tenancy import in_lab
from tests.align import words_on
from tests.intake.desk import READY, Desk, sha256, work
from tests.orders.stored import members

STEP = 60.0  # seconds by Align's clock that modeling, milling and a re-scan take
PHYSICAL = ("iTero Milling", "Ready to Ship", "Downloaded")


@dataclass(frozen=True)
class Way:
    """How the portal learns of it; `kinds` are the looks at Align that it may have taken."""

    learn: Callable[[Desk, str], None]
    kinds: frozenset[str]


def by_push(desk: Desk, order_id: str) -> None:
    assert desk.push(order_id) == 202
    work()


def by_list(desk: Desk, order_id: str) -> None:
    desk.take_in()


PUSH, LIST = Way(by_push, frozenset({"notification"})), Way(by_list, frozenset({"poll"}))
EACH_WAY = pytest.mark.parametrize("way", [PUSH, LIST], ids=["by push alone", "by the list alone"])


def goes_on(desk: Desk, order_id: str, status: str, revision: int) -> None:
    """Align's or the doctor's next step is done."""
    desk.align.advance_clock(STEP + 1)
    desk.align.wait_for_order(order_id, status=status, revision=revision)


def seen(desk: Desk, order_id: str) -> list[tuple[int, str, str]]:
    """(number, cause, status) of each revision; all are here, whole, and what Align gave out."""
    desk.assert_true_to_align(order_id)
    rows = desk.revisions(order_id)
    assert {row.state for row in rows} == {RevisionState.READY}
    return [(row.number, row.cause, row.vendor_status) for row in rows]


def zips(desk: Desk, order_id: str) -> dict[int, tuple[str, str, int]]:
    """Path, hash and time of change of each revision's zip."""
    paths = {row.number: desk.zip_of(row) for row in desk.revisions(order_id)}
    return {number: (str(path), sha256(path.read_bytes()), path.stat().st_mtime_ns) for number, path in paths.items()}


def assert_untouched(before: dict[int, tuple[str, str, int]], desk: Desk, order_id: str) -> None:
    after = zips(desk, order_id)
    assert {number: after[number] for number in before} == before
    assert len({path for path, _, _ in after.values()}) == len(after)


def assert_only(desk: Desk, way: Way) -> None:
    with in_lab(desk.lab.pk):
        assert set(SyncRun.objects.of(desk.lab).values_list("kind", flat=True)) == way.kinds


def shown(desk: Desk, order_id: str) -> str:
    return words_on(desk.browser, reverse("case", args=[desk.order(order_id).pk]))


def changed(desk: Desk, order_id: str) -> list[list[str]]:
    """What the case page says to have changed, the oldest revision first."""
    answer = desk.browser.get(reverse("case", args=[desk.order(order_id).pk]))
    return [row["changed"] for row in reversed(answer.context["revisions"])]


def told_by_bytes(desk: Desk, order_id: str) -> set[str]:
    """What must be said of jaws and pictures, from the bytes in the two zips alone."""
    old, new = (members(desk.zip_of(row).read_bytes()) for row in desk.revisions(order_id))
    said = set()
    for jaw in ("upper", "lower"):
        name = f"{order_id}_{jaw}_jaw.ply"
        said.add(f"{jaw.capitalize()} jaw: {'identical' if old[name] == new[name] else 'changed'}")
    pictures = [name for name in new if name.startswith("gallery")]
    came = sum(old[name] != new[name] for name in pictures)
    return said | ({f"Pictures: {came} of {len(pictures)} changed"} if came else set())


def first_scan(desk: Desk, way: Way) -> str:
    order_id = desk.arrives()
    way.learn(desk, order_id)
    assert seen(desk, order_id) == [(1, "first", READY)]
    return order_id


def modeled(desk: Desk, way: Way) -> str:
    order_id = first_scan(desk, way)
    desk.align.tell(f"orders/{order_id}/model")
    goes_on(desk, order_id, "Lab Review", 2)
    way.learn(desk, order_id)
    return order_id


def compared(desk: Desk) -> None:
    """The daily comparison, as though a day had passed since the last one."""
    with in_lab(desk.lab.pk):
        Reconciliation.objects.of(desk.lab).delete()
    assert reconcile(desk.lab.pk, desk.pairing.pk) is not None
    work()


def timeline(desk: Desk, order_id: str) -> list[str]:
    """What the case page tells, newest first."""
    answer = desk.browser.get(reverse("case", args=[desk.order(order_id).pk]))
    return [line["text"] for line in answer.context["timeline"]]
