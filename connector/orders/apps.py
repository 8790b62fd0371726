from django.apps import AppConfig

from labportal.tick import on_tick


class OrdersConfig(AppConfig):
    name = "connector.orders"
    label = "orders"
    verbose_name = "Orders"

    def ready(self) -> None:
        # Models are not loaded before; checks registers the system check.
        from connector.orders import checks, doctor_lines, recheck  # noqa: F401 - as above
        from labportal.keeping.doctor import add_part

        on_tick(recheck.sweep)
        add_part("stored scans", doctor_lines.lines)
