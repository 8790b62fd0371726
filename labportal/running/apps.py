from django.apps import AppConfig


class RunningConfig(AppConfig):
    name = "labportal.running"
    label = "running"
