from django.apps import AppConfig


class BreakGlassConfig(AppConfig):
    name = "connector.break_glass"
    label = "break_glass"
    verbose_name = "Looks into a lab's cases"

    def ready(self) -> None:
        from connector.break_glass.services import banner  # models are not loaded before
        from connector.orders.banners import on_banner

        on_banner(banner)
