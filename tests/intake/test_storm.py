"""A storm of pushes at the real web process: what is answered 202 has a row, also when the process is killed."""

import asyncio
import os
import signal
import threading
import time

import pytest
from django.conf import settings
from django.db import connections

from benchmarks.notifications import Target, measure, middle_and_most, stored, web
from benchmarks.storm import Vendor, plan
from connector.pairing.callbacks import callback_hash
from tests.labportal.process_tree import tree_of
from tests.orders.make import make_order, make_pairing

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def environment() -> dict[str, str]:
    """Of a web process on this test's database."""
    url = "postgresql://{USER}:{PASSWORD}@/{NAME}?host={HOST}"
    found = {
        f"DATABASE_{name}URL": url.format(**connections[alias].settings_dict)
        for name, alias in (("", "default"), ("OPERATOR_", "operator"), ("OWNER_", "owner"))
    }
    return {**os.environ, **found, "SECRET_KEY": settings.SECRET_KEY, "SIMULATOR": "1"}


@pytest.fixture
def target(cast, client_of) -> Target:
    pairing = make_pairing(cast.lab_a, callback_hash=callback_hash("s" * 43))
    make_order(cast.lab_a, pairing)
    cookie = settings.SESSION_COOKIE_NAME
    return Target("s" * 43, {cookie: client_of(cast.theo).cookies[cookie].value})


def test_every_push_is_kept_or_refused_clearly_and_the_inbox_stays_open(environment, target):
    found = measure(environment, target, distinct=40, times=25, rate=3000, idle=1, tries=1)
    assert set(found.statuses) == {"202", "503"}, found
    assert found.without_retry_after == 0
    assert (found.lost, found.rows) == (0, found.distinct_accepted)
    assert found.rows > 20, found
    assert (found.failed_pages, found.pages > 0) == (0, True)


def test_a_push_that_was_answered_202_outlasts_a_kill_of_the_web_process(environment, target):
    with web(environment) as (port, pid):
        vendor = Vendor("localhost", port, f"/notify/{target.secret}", tries=1)
        sending = threading.Thread(target=lambda: asyncio.run(vendor.storm(plan(400, 1), 300)))
        sending.start()
        end = time.monotonic() + 30
        while len(vendor.outcome.accepted) < 50 and time.monotonic() < end:
            time.sleep(0.01)
        for process in reversed(tree_of(pid)):
            os.kill(process, signal.SIGKILL)
        sending.join()
    accepted = set(vendor.outcome.accepted)
    assert 50 <= len(accepted) < 400, vendor.outcome.statuses
    assert accepted <= stored()
    with connections["operator"].cursor() as cursor:  # the control: a push that is not there is seen
        cursor.execute("DELETE FROM intake_notification WHERE rx_id = %s", [vendor.outcome.accepted[0]])
    assert not accepted <= stored()


def test_the_middle_and_the_most():
    assert middle_and_most([0.001 * n for n in range(1, 101)]) == pytest.approx((51, 96))
