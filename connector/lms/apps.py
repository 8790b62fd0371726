from django.apps import AppConfig


class LmsConfig(AppConfig):
    name = "connector.lms"
    label = "lms"
    verbose_name = "Export to the lab's own system"
