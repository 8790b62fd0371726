"""What a storm must have been, and what it may have done to the pages; otherwise the figures would flatter."""

from __future__ import annotations

from benchmarks.notifications import Storm

REACHED = 0.95  # of the rate that was wanted: below it the load was too small to say anything
# A page under the storm shares two cores with the load and the database. A quiet 2-core machine gave 1.8 × and 2.4 ×, a
# crowded one 1.3 × and 2.8 ×. At four times a median of 50 ms a click still answers at once (0.2 s), and at eight times
# a slowest twentieth of 70 ms it takes half a second; beyond that people notice the storm.
SLOWER_50, SLOWER_95 = 4.0, 8.0


def shortcomings(storm: Storm, rate: float) -> list[str]:
    """In words; nothing, if the storm was one and was weathered."""
    middle, most = storm.slower
    found = {
        f"the load generator sent {storm.rate_sent:.0f} a second, not {rate:.0f}": storm.rate_sent < REACHED * rate,
        f"{storm.lost} pushes were answered 202 and are not there": storm.lost > 0,
        f"{storm.distinct_accepted} of {storm.distinct} RxIDs were accepted": storm.distinct_accepted < storm.distinct,
        f"{storm.without_retry_after} refusals did not say when to come again": storm.without_retry_after > 0,
        f"{storm.failed_pages} pages failed": storm.failed_pages > 0,
        "no page was read": storm.pages == 0,
        f"the median page was {middle:.1f} × slower, {SLOWER_50:.0f} × at most": middle > SLOWER_50,
        f"the slowest twentieth was {most:.1f} × slower, {SLOWER_95:.0f} × at most": most > SLOWER_95,
    }
    return [words for words, is_so in found.items() if is_so]
