from django.apps import AppConfig


class AuditPagesConfig(AppConfig):
    name = "labportal.audit_pages"
    label = "audit_pages"
    verbose_name = "Audit pages"
