from django.apps import AppConfig

from labportal.running.watch import on_watch
from labportal.tick import on_tick


class PairingConfig(AppConfig):
    name = "connector.pairing"
    label = "pairing"
    verbose_name = "Pairings with Align"

    def ready(self) -> None:
        # Apps are not loaded before; checks registers the system checks.
        from connector.pairing import alarms, checks, doctor_lines  # noqa: F401 - as above
        from connector.pairing.rotation import sealed_pairings
        from labportal.keeping.doctor import add_part
        from labportal.rotation import on_rotation

        on_rotation(sealed_pairings)
        on_tick(alarms.ring_due)
        on_watch(alarms.look_at_due)
        add_part("silence", doctor_lines.lines)
