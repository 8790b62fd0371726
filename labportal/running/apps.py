from django.apps import AppConfig
from django.conf import settings

from labportal import faults
from labportal.running.heartbeat import beat_of_tick
from labportal.tick import on_tick


class RunningConfig(AppConfig):
    name = "labportal.running"
    label = "running"

    def ready(self) -> None:
        on_tick(beat_of_tick)
        if settings.FAULT:
            faults.arm(settings.FAULT)
