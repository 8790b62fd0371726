from django.apps import AppConfig

from labportal.tick import on_tick


class SigninConfig(AppConfig):
    name = "labportal.signin"
    label = "signin"
    verbose_name = "Sign-in"

    def ready(self) -> None:
        from labportal.rotation import on_rotation
        from labportal.signin import checks, cleared, signals  # noqa: F401 - registers them; apps are not loaded before
        from labportal.signin.rotation import sealed_in_sign_in

        on_rotation(sealed_in_sign_in)
        on_tick(cleared.sweep)
