"""A return goes for the scan that a person has looked at; a newer one that nobody has seen is not sent back."""

import re
from collections.abc import Callable

from django.test import Client

from labportal.labs.models import User
from tests.cast import Cast
from tests.intake.desk import Desk, work
from tests.returns.test_return import at_align, returns, taken_in

WORDS = "about the first scan"


def doctor_scans_again(desk: Desk, order_id: str) -> None:
    """Asked by telephone or in Align's portal, so the lab's portal did not know of it."""
    desk.align.tell(f"orders/{order_id}/return", {"reason": "bite", "comment": "by telephone"})
    desk.align.wait_for_order(order_id, revision=2, listed=True)


def sent_by_us(desk: Desk, order_id: str) -> list[str]:
    return [comment for _, comment in at_align(desk, order_id) if comment != "by telephone"]


def test_a_scan_that_came_in_while_the_form_was_open_is_shown_before_it_goes_back(
    desk: Desk, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    order_id = taken_in(desk)
    url = f"/cases/{desk.order(order_id).pk}/return"
    browser = client_of(cast.theo)

    def scan_of(page: str) -> str:
        found = re.search(r'name="scan" value="(\d+)"', page)
        assert found is not None
        return found[1]

    form = {"reason": "margin", "comment": WORDS, "scan": scan_of(browser.get(url).content.decode())}
    doctor_scans_again(desk, order_id)
    desk.take_in()
    answer = browser.post(url, form)
    assert (answer.status_code, returns(desk)) == (400, [])
    page = answer.content.decode()
    assert "A newer scan of this case came in while you wrote" in page
    assert WORDS in page, "nothing has to be typed again"
    assert browser.post(url, form | {"scan": scan_of(page)}).status_code == 302
    work()
    assert sent_by_us(desk, order_id) == [f"Margin is not clear. {WORDS}"]
