"""Check every audit chain; exit code 1 when one is broken."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labportal.audit import anchors
from labportal.audit.models import INSTALLATION
from labportal.audit.verify import Verdict, verify, verify_all


class Command(BaseCommand):
    help = "Check that no audit entry was changed, removed or added: each chain, its head, and the daily anchors."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--chain", type=UUID, help="one lab's id; all chains otherwise")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            anchored = anchors.load()
        except anchors.AnchorsBroken as error:
            raise CommandError(
                f"The anchor file {error.name} is damaged, or signed with a key that AUDIT_KEYS does not hold. Bring"
                " it back from a backup, or put the key back; then run this again."
            ) from error
        chosen = options["chain"]
        verdicts = [verify(chosen, anchored.get(chosen, {}))] if chosen else list(verify_all(anchored))
        for verdict in verdicts:
            self._say(verdict)
        broken = [verdict for verdict in verdicts if verdict.broken]
        entries = sum(verdict.length for verdict in verdicts)
        if broken:
            raise CommandError(
                f"{len(broken)} of {len(verdicts)} chains are broken. Keep the database as it is, compare it with a"
                " backup, and read docs/operations.md, “The audit is broken”."
            )
        self.stdout.write(f"{len(verdicts)} chains with {entries} entries checked against {_days()}: all whole.")

    def _say(self, verdict: Verdict) -> None:
        name = "installation" if verdict.chain == INSTALLATION else f"lab {verdict.chain}"
        if verdict.broken:
            self.stderr.write(f"{name}: BROKEN at entry {verdict.seq} ({verdict.broken}): {verdict.words}")
        else:
            self.stdout.write(f"{name}: {verdict.length} entries, whole")


def _days() -> str:
    count = len(list(anchors.folder().glob("*.json")))
    return "1 anchor" if count == 1 else f"{count} anchors"
