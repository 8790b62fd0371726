from django.apps import AppConfig

from labportal.tick import on_tick


class AuditConfig(AppConfig):
    name = "labportal.audit"
    label = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        from labportal.audit.anchors import anchor_daily  # models are not loaded before

        on_tick(anchor_daily)
