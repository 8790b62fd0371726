from django.apps import AppConfig


class LabsConfig(AppConfig):
    name = "labportal.labs"
    label = "labs"
    verbose_name = "Labs and people"

    def ready(self) -> None:
        from labportal.labs import checks  # noqa: F401 - registers the system checks; apps are not loaded before
