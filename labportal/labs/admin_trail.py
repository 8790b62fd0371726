"""What the operator changes in the admin site, in the audit: in the installation's chain, and in that of the lab whose
thing it is."""

from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.core.exceptions import ObjectDoesNotExist
from django.db.models.signals import post_save
from django.dispatch import receiver

from labportal.audit.services import record
from labportal.labs.models import Lab

ACTIONS = {ADDITION: "admin.added", CHANGE: "admin.changed", DELETION: "admin.deleted"}


@receiver(post_save, sender=LogEntry)
def _logged(sender: Any, instance: LogEntry, created: bool, **kwargs: Any) -> None:
    model = instance.content_type.model_class() if instance.content_type else None
    if not created or model is None:
        return
    target, action = model(pk=instance.object_id), ACTIONS.get(instance.action_flag, "admin.changed")
    record(action, lab_id=None, target=target)
    lab_id = _lab_of(instance)
    if lab_id is not None:
        record(action, lab_id=lab_id, target=target)


def _lab_of(entry: LogEntry) -> Any:
    """Django writes a deletion down before it happens, so the thing is there still."""
    try:
        thing = entry.get_edited_object()
    except ObjectDoesNotExist:
        return None
    return thing.pk if isinstance(thing, Lab) else getattr(thing, "lab_id", None)
