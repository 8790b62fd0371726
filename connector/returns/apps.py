from django.apps import AppConfig

from labportal.tick import on_tick


class ReturnsConfig(AppConfig):
    name = "connector.returns"
    label = "returns"
    verbose_name = "Returns to the doctor"

    def ready(self) -> None:
        from connector.returns.services import sweep  # models are not loaded before

        on_tick(sweep)
