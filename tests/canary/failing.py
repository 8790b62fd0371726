"""Tasks and views that fail with a patient's name in what they raise, as a library or the database would."""

from multiprocessing import Queue, Value
from typing import Any
from uuid import UUID

from django.db import connection
from django_q.models import OrmQ
from django_q.monitor import monitor
from django_q.worker import worker

from connector.orders.models import Order
from labportal.doors import door
from labportal.labs.tenancy import in_lab


def raise_words(order: Order) -> None:
    raise ValueError(f"cannot read the scan of {order.patient_last}, {order.patient_first}: {order.notes}")


def raise_database_error(order: Order) -> None:
    """PostgreSQL's own words quote the value: invalid input syntax for type integer: "Doe"."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text::integer", [order.patient_last])


def _load(lab_id: str, order_id: str) -> Order:
    with in_lab(UUID(lab_id)):
        return Order.objects.of(UUID(lab_id)).get(pk=order_id)


@door
def words(lab_id: str, order_id: str) -> None:
    raise_words(_load(lab_id, order_id))


@door
def database(lab_id: str, order_id: str) -> None:
    raise_database_error(_load(lab_id, order_id))


def without_door(lab_id: str, order_id: str) -> None:
    """The control: a task that forgot its frame."""
    raise_words(_load(lab_id, order_id))


def run_queue() -> None:
    """Hand every waiting task to the queue's own worker and its monitor, which store and log how it ended."""
    tasks: Any = Queue()
    results: Any = Queue()
    rows = list(OrmQ.objects.order_by("pk"))
    for row in rows:
        tasks.put(row.task)
    tasks.put("STOP")
    worker(tasks, results, Value("f", -1))
    results.put("STOP")
    monitor(results)
    OrmQ.objects.filter(pk__in=[row.pk for row in rows]).delete()
