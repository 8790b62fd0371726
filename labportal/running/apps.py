from django.apps import AppConfig
from django.conf import settings

from labportal import faults


class RunningConfig(AppConfig):
    name = "labportal.running"
    label = "running"

    def ready(self) -> None:
        if settings.FAULT:
            faults.arm(settings.FAULT)
