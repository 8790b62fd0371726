"""Check every stored zip and what was made of it; with --repair put right what can be."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connector.orders.models import RevisionState
from connector.orders.repair import Bad, readmit, repair
from labportal.keeping.verify import check_lab, labs

WORDS = {
    RevisionState.RETRY: "is fetched from Align again",
    RevisionState.QUARANTINED: "is held back (an older revision: Align gives out the latest only)",
    RevisionState.STORED: "the zip is sound; previews and pictures are made from it again",
    None: "was changed by somebody else, or made again, a moment ago",
}


class Command(BaseCommand):
    help = (
        "Check that every stored zip, preview and picture is there and unchanged. Changes nothing without --repair; "
        "exits 1 when one is bad."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--lab", default="", metavar="SLUG", help="this lab only, by its short name")
        parser.add_argument("--repair", action="store_true", help="fetch a bad latest revision again, hold others back")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = labs(options["lab"])
        if options["lab"] and not chosen:
            raise CommandError(f"There is no lab “{options['lab']}”.")
        checked, bad = 0, 0
        for lab in chosen:
            for revision in readmit(lab.pk) if options["repair"] else ():
                self.stdout.write(f"{lab.slug}: order {revision.order.order_id} revision {revision.number} is back")
            for found in check_lab(lab.pk):
                checked += 1
                if found is not None:
                    bad += 1
                    self._say(found, lab.slug, fix=options["repair"])
        self.stdout.write(f"{checked} stored revisions of {len(chosen)} labs checked: {checked - bad} good, {bad} bad.")
        if bad and not options["repair"]:
            raise CommandError(
                "Nothing was changed. --repair fetches a bad latest revision again, and makes bad previews anew.",
                returncode=1,
            )

    def _say(self, bad: Bad, slug: str, *, fix: bool) -> None:
        after = f": {WORDS[repair(bad)]}" if fix else ""
        order_id, number = bad.revision.order.order_id, bad.revision.number
        self.stdout.write(f"{slug}: order {order_id} revision {number} {bad.code}{after}")
