"""Which tables hold one lab's records, and the one list of those that are global by intent.

Every concrete model is a lab's record (lab_id NOT NULL, ENABLE + FORCE row-level security, a policy, composite keys) or
stands here with its reason; a model that is neither fails the build (tests/isolation/test_tables.py).
"""

from django.db import models

GLOBAL_TABLES = {
    "labs_user": "a person may belong to several labs",
    "labs_user_groups": "Django's permissions, operators only",
    "labs_user_user_permissions": "Django's permissions, operators only",
    "auth_group": "Django's permissions, operators only",
    "auth_permission": "Django's permissions, operators only",
    "auth_group_permissions": "Django's permissions, operators only",
    "account_emailaddress": "log-in, before a lab is known",
    "account_emailconfirmation": "log-in, before a lab is known",
    "usersessions_usersession": "log-in, before a lab is known",
    "mfa_authenticator": "a person's second steps; seeds sealed",
    "socialaccount_socialaccount": "allauth's, always empty: a lab's provider is a SignOn, its people are its members",
    "socialaccount_socialapp": "allauth's, always empty, as above",
    "socialaccount_socialtoken": "allauth's, always empty, as above",
    "django_session": "log-in, before a lab is known",
    "django_content_type": "names of models",
    "django_admin_log": "operators' acts; a model's __str__ holds no patient data",
    "django_q_ormq": "task doorbell: ids only",
    "django_q_task": "failed tasks: ids and error codes only",
    "django_q_schedule": "the one schedule, tick",
    "intake_unroutednotification": "a notification whose lab is not known yet: an RxID, no patient data",
    "audit_entry": "chains of labs and of the installation; append-only, with walls of its own (tests/audit/)",
    "audit_head": "as audit_entry",
    "people_signup": "a lab that somebody asks for, before there is one; gone when used or after a day",
    "running_heartbeat": "when the background work last gave a sign of life",
    "running_safemode": "one row: the whole database was restored from a backup",
}


def is_lab_record(model: type[models.Model]) -> bool:
    return model._meta.db_table not in GLOBAL_TABLES
