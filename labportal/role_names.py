"""The names of this installation's database roles, and how a policy asks for the transaction's lab and person."""

from django.conf import settings

CURRENT_LAB = "nullif(current_setting('app.lab_id', true), '')::uuid"
CURRENT_USER = "nullif(current_setting('app.user_id', true), '')::uuid"


def role(name: str) -> str:
    """The database role `name` (owner, app, operator, backup, resolver, auditor) of this installation."""
    return f"{settings.DATABASE_ROLE_PREFIX}_{name}"
