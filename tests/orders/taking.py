"""What a downloading browser gets, and what the case's timeline tells of it."""

from connector.orders.models import ScanFile, TimelineEvent
from labportal.labs.tenancy import in_lab


def body(answer):
    return b"".join(answer.streaming_content)


def files_of(case):
    with in_lab(case.order.lab_id):
        return list(ScanFile.objects.of(case.order.lab_id).filter(revision=case.revision))


def address(case, file):
    return f"{case.url}/files/{file.pk}"


def taken(case):
    with in_lab(case.order.lab_id):
        events = TimelineEvent.objects.of(case.order.lab_id).filter(order=case.order, kind="downloaded")
        return [event.facts["what"] for event in events.order_by("at")]
