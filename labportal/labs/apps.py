from django.apps import AppConfig


class LabsConfig(AppConfig):
    name = "labportal.labs"
    label = "labs"
    verbose_name = "Labs and people"

    def ready(self) -> None:
        # These register themselves: system checks and receivers of signals. Apps are not loaded before.
        from labportal.labs import admin_trail, checks, sign_in_trail  # noqa: F401 - as above
