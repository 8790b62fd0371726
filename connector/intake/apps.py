from django.apps import AppConfig

from labportal.tick import on_tick


class IntakeConfig(AppConfig):
    name = "connector.intake"
    label = "intake"
    verbose_name = "Intake"

    def ready(self) -> None:
        from connector.intake.sweep import sweep  # models are not loaded before

        on_tick(sweep)
