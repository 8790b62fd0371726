from django.apps import AppConfig


class PairingConfig(AppConfig):
    name = "connector.pairing"
    label = "pairing"
    verbose_name = "Pairings with Align"

    def ready(self) -> None:
        from connector.pairing import checks  # noqa: F401 - registers the system checks; apps are not loaded before
