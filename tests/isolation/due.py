"""Lab A's work made due, for each task of the queue: what the task then does for lab A, and must not do for lab B."""

import ast
import importlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.utils import timezone
from django_q.models import OrmQ

from connector.intake.models import Reconciliation, RunStatus, SyncRun
from connector.orders.models import Order, RevisionState
from connector.pairing.models import State
from connector.retention.models import RetentionPolicy
from connector.returns.models import Return
from labportal.labs.tenancy import in_lab
from tests.align import change
from tests.intake.desk import Desk

ROOT = Path(__file__).resolve().parents[2]
LONG_AGO = timedelta(days=4000)


def tasks_in_the_code() -> set[str]:
    """Dotted names of every function with @door, of every function of a `tasks.py`, and of whatever is rung for."""
    found = set()
    for file in [*ROOT.glob("connector/**/*.py"), *ROOT.glob("labportal/**/*.py")]:
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef):
                is_door = any(isinstance(mark, ast.Name) and mark.id == "door" for mark in node.decorator_list)
                if is_door or file.name == "tasks.py":
                    found.add(f"{module}.{node.name}")
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ring":
                found |= {str(word.value) for word in node.args[:1] if isinstance(word, ast.Constant)}
    return found


def has_a_door(task: str) -> bool:
    """The frame of labportal/doors.py stands around it."""
    module, _, name = task.rpartition(".")
    function = getattr(importlib.import_module(module), name)
    return str(function.__code__.co_filename).endswith("labportal/doors.py")


def _poll(desk: Desk, order_id: str) -> str:
    change(desk.pairing, next_due=timezone.now())
    return str(desk.pairing.pk)


def _look_up(desk: Desk, order_id: str) -> str:
    assert desk.push(order_id) == 202
    return str(desk.pairing.pk)


def _download(desk: Desk, order_id: str) -> str:
    desk.update_revision(order_id, state=RevisionState.SEEN, next_due=None)
    return str(desk.pairing.pk)


def _examine(desk: Desk, order_id: str) -> str:
    desk.update_revision(order_id, state=RevisionState.STORED, next_due=timezone.now(), lease_until=None)
    return str(desk.revision(order_id).pk)


def _reconcile(desk: Desk, order_id: str) -> str:
    with in_lab(desk.lab.pk):
        Reconciliation.objects.of(desk.lab).delete()
    return str(desk.pairing.pk)


def _send(desk: Desk, order_id: str) -> str:
    with in_lab(desk.lab.pk):
        revision = desk.revision(order_id)
        made = Return.objects.create(
            lab=desk.lab, order=revision.order, revision=revision, reason="bite", next_due=timezone.now()
        )
    return str(made.pk)


def _purge(desk: Desk, order_id: str) -> str:
    long_ago = timezone.now() - LONG_AGO
    with in_lab(desk.lab.pk):
        old = SyncRun.objects.create(
            lab=desk.lab, pairing=desk.pairing, kind="poll", status=RunStatus.NOTHING_NEW, ended_at=long_ago
        )
        SyncRun.objects.of(desk.lab).filter(pk=old.pk).update(started_at=long_ago)
    return ""


def _remove_due(desk: Desk, order_id: str) -> str:
    now = timezone.now()
    with in_lab(desk.lab.pk):
        Return.objects.of(desk.lab).delete()
        RetentionPolicy.objects.update_or_create(lab=desk.lab, defaults={"days": 400, "starts_at": now})
        Order.objects.of(desk.lab).update(received_at=now - LONG_AGO, waiting_since=None)
    return ""


def _in_state(state: State) -> Callable[[Desk, str], str]:
    def arrange(desk: Desk, order_id: str) -> str:
        change(desk.pairing, state=state, reason="refused", reason_at=timezone.now(), next_due=timezone.now())
        return str(desk.pairing.pk)

    return arrange


# What makes the task's work due at lab A; the id that it takes beside the lab's, '' for none. In the order in which
# one can follow the other at one desk.
TASKS: dict[str, Callable[[Desk, str], str]] = {
    "connector.intake.tasks.poll": _poll,
    "connector.intake.tasks.look_up": _look_up,
    "connector.intake.tasks.reconcile": _reconcile,
    "connector.intake.tasks.download": _download,
    "connector.intake.tasks.examine": _examine,
    "connector.intake.tasks.purge": _purge,
    "connector.returns.tasks.send": _send,
    "connector.pairing.tasks.alarm": _in_state(State.NEEDS_PAIRING),
    "connector.pairing.tasks.release": _in_state(State.CONNECTING),
    "connector.retention.tasks.remove_due": _remove_due,
    "connector.pairing.tasks.unpair": _in_state(State.UNPAIRING),
}
# They take no id of a lab: each finds by narrow functions of the database what is due,
# and rings or acts with that lab's id.
WITHOUT_A_LAB = {
    "connector.intake.tasks.route_unrouted": "pushes that name no account, kept outside of any lab",
    "connector.orders.tasks.recheck": "stored zips, each looked at in its own lab's transaction",
    "labportal.tick.tick": "the sweeps",
    "labportal.running.liveness.answer": "the ping of the supervisor: a file is touched",
}


def make_due(task: str, desk: Desk, order_id: str) -> list[str]:
    """The task's arguments behind the lab's id."""
    active = {"state": State.ACTIVE, "reason": "", "reason_at": None, "paused_until": None, "failures": 0}
    change(desk.pairing, **active)
    row_id = TASKS[task](desk, order_id)
    OrmQ.objects.all().delete()
    return [row_id] if row_id else []
