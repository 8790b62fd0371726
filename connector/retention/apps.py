from django.apps import AppConfig

from labportal.tick import on_tick


class RetentionConfig(AppConfig):
    name = "connector.retention"
    label = "retention"
    verbose_name = "Keeping and removing"

    def ready(self) -> None:
        from connector.orders.panels import on_case_page  # models are not loaded before
        from connector.retention.case_panel import kept_until
        from connector.retention.sweep import sweep

        on_tick(sweep)
        on_case_page(kept_until)
