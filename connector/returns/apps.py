from django.apps import AppConfig

from labportal.tick import on_tick

REFUSED_TITLE = "Returns that Align did not take: the doctor was not asked"


class ReturnsConfig(AppConfig):
    name = "connector.returns"
    label = "returns"
    verbose_name = "Returns to the doctor"

    def ready(self) -> None:
        from connector.orders.concerns import Concern, on_attention  # models are not loaded before
        from connector.orders.panels import on_case_page
        from connector.returns.case_panel import asked_of_the_doctor
        from connector.returns.refused import refused_count, refused_items
        from connector.returns.services import sweep

        on_tick(sweep)
        on_case_page(asked_of_the_doctor)
        on_attention(Concern(REFUSED_TITLE, refused_count, refused_items))
