from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "connector.orders"
    label = "orders"
    verbose_name = "Orders"
