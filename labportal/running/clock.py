"""No work is done by a wrong clock: due times, pauses and tokens' ends would be written hours or days ahead, and
stay so when the clock is right again. The database's clock is the one that all machines share."""

from datetime import datetime

from django.db import connection
from django.utils import timezone

WRONG = 30.0  # seconds


class ClockWrong(Exception):
    """This machine's clock and the database's differ by more than WRONG."""

    code = "clock_wrong"


def refuse_wrong_clock() -> None:
    """One small query. Errors: ClockWrong."""
    if abs(seconds_away()) > WRONG:
        raise ClockWrong


def seconds_away() -> float:
    """How far the database's clock is ahead of this process's; the way there and back counts half."""
    with connection.cursor() as cursor:
        before = timezone.now()
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = (cursor.fetchone() or (before,))[0]
        after = timezone.now()
    return (theirs - (before + (after - before) / 2)).total_seconds()
