from django.apps import AppConfig


class SigninConfig(AppConfig):
    name = "labportal.signin"
    label = "signin"
    verbose_name = "Sign-in"

    def ready(self) -> None:
        from labportal.signin import checks, signals  # noqa: F401 - registers checks and receivers; apps are not loaded before
