from django.apps import AppConfig

from labportal.tick import on_tick

REFUSED_TITLE = "Returns that Align refused: the doctor was not asked"


class ReturnsConfig(AppConfig):
    name = "connector.returns"
    label = "returns"
    verbose_name = "Returns to the doctor"

    def ready(self) -> None:
        from connector.orders.concerns import Concern, on_attention  # models are not loaded before
        from connector.returns.refused import refused_count, refused_items
        from connector.returns.services import sweep

        on_tick(sweep)
        on_attention(Concern(REFUSED_TITLE, refused_count, refused_items))
