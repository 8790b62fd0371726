from django.apps import AppConfig

from labportal.tick import on_tick


class OrdersConfig(AppConfig):
    name = "connector.orders"
    label = "orders"
    verbose_name = "Orders"

    def ready(self) -> None:
        from connector.orders import doctor_lines, recheck  # models are not loaded before
        from labportal.keeping.doctor import add_part

        on_tick(recheck.sweep)
        add_part("stored scans", doctor_lines.lines)
