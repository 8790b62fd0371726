"""Safe mode: a restored database holds refresh tokens that were used since; showing one again may end a whole sign-in.
And it lacks the legal holds and milder rules of since the backup.

While it is on, connector.pairing gives out no token, so no poll, download, refresh, return or un-pair goes to Align;
and connector.retention removes no case by a lab's rule.
"""

from datetime import timedelta

from django.apps import apps
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from labportal.audit.services import record
from labportal.labs.routers import as_operator
from labportal.running.models import SafeMode

BANNER = (
    "This portal was restored from a backup and is in safe mode: nothing is asked of Align, nothing is sent there, and "
    "no case is removed because its time is over. "
    "The operator ends it with “manage.py leave_safe_mode”."
)
# Align may be asked in these states of a pairing, except UNPAIRING: what is being ended is ended.
CALLING = ("active", "forbidden")
RULES_REST = timedelta(days=1)  # for the owners to put their holds again


def is_on() -> bool:
    """Whether nothing may be said to Align. Costs one small query."""
    return SafeMode.objects.exists()


def leave(*, keep_tokens: bool = False) -> int:
    """End safe mode; how many pairings wait for a sign-in now. One that was signed in anew meanwhile goes on. No rule
    removes a case before a day is over.

    `keep_tokens` is for a database that was restored at once, before any token could be used again.
    """
    pairings = apps.get_model("pairing", "Pairing")._default_manager
    policies = apps.get_model("retention", "RetentionPolicy")._default_manager
    now = timezone.now()
    with as_operator(), transaction.atomic(using="operator"):
        mode = SafeMode.objects.using("operator").select_for_update().first()
        if mode is None:
            return 0
        restored = pairings.using("operator").filter(state__in=CALLING)
        restored.filter(reason="safe_mode").update(
            reason="", reason_at=None, failures=0, paused_until=None, next_due=now
        )
        changed = 0
        if not keep_tokens:
            old = restored.filter(Q(paired_at=None) | Q(paired_at__lt=mode.since))
            changed = old.update(state="needs_pairing", reason="restored", reason_at=now)
        policies.using("operator").filter(starts_at__lt=now + RULES_REST).update(starts_at=now + RULES_REST)
        SafeMode.objects.using("operator").all().delete()
    record("safe_mode.ended", lab_id=None, kept_tokens=keep_tokens, pairings=changed)
    return changed
