"""Return to doctor: a reason and some words, asked once; what is missing is said and nothing typed is lost."""

import pytest
from django.utils import timezone

from connector.pairing.models import Pairing, State
from connector.returns.models import Return
from labportal.labs.tenancy import in_lab
from tests.orders.make import make_order, make_pairing
from tests.orders.pages import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(cast, pairing):
    return make_order(cast.lab_a, pairing)


def returns_of(order):
    with in_lab(order.lab_id):
        return list(Return.objects.of(order.lab_id).filter(order=order))


def send(client, order, **values):
    return client.post(f"/cases/{order.pk}/return", values, follow=True)


def test_the_form_says_what_happens_next(cast, client_of, order):
    page = text_of(client_of(cast.theo).get(f"/cases/{order.pk}/return"))
    assert "The doctor is asked to scan again." in page
    assert "Margin is not clear" in page


def test_a_return_is_queued_with_its_reason_and_words(cast, client_of, order):
    answer = send(client_of(cast.theo), order, reason="margin", comment=" Distal of 26,\r\nplease.\x00 ")
    assert answer.redirect_chain == [(f"/cases/{order.pk}", 302)]
    assert "The return is on its way to Align." in text_of(answer)
    (made,) = returns_of(order)
    assert (made.reason, made.comment, made.by) == ("margin", "Distal of 26,\nplease.", cast.theo)


def test_pressed_twice_it_is_asked_once(cast, client_of, order):
    theo = client_of(cast.theo)
    send(theo, order, reason="margin")
    assert "is just being sent to Align" in text_of(send(theo, order, reason="bite"))
    assert len(returns_of(order)) == 1


@pytest.mark.parametrize("reason", ["", "eaten"])
def test_without_a_reason_nothing_is_sent_and_the_words_stay(cast, client_of, order, reason):
    answer = send(client_of(cast.theo), order, reason=reason, comment="<b>Look</b> here")
    assert answer.status_code == 400
    assert "Choose why the case must be scanned again." in text_of(answer)
    assert "&lt;b&gt;Look&lt;/b&gt; here</textarea>" in answer.content.decode()
    assert returns_of(order) == []


@pytest.mark.parametrize(("comment", "made"), [("x" * 1000, 1), ("x" * 1001, 0), ("x\r\n" * 400, 1)])
def test_a_thousand_characters_are_possible(cast, client_of, order, comment, made):
    answer = send(client_of(cast.theo), order, reason="other", comment=comment)
    assert len(returns_of(order)) == made
    assert ("1,000 are possible" in text_of(answer)) is not bool(made)


def test_a_case_that_is_with_the_doctor_leads_back_with_words(cast, client_of, pairing):
    order = make_order(cast.lab_a, pairing, waiting_since=timezone.now())
    answer = client_of(cast.theo).get(f"/cases/{order.pk}/return", follow=True)
    assert "This case is with the doctor already." in text_of(answer)


def test_without_a_connection_align_cannot_be_told(cast, client_of, order, pairing):
    with in_lab(cast.lab_a.pk):
        Pairing.objects.of(cast.lab_a).filter(pk=pairing.pk).update(state=State.UNPAIRED)
    assert "The connection to Align has ended" in text_of(send(client_of(cast.theo), order, reason="margin"))
    assert returns_of(order) == []


def test_a_viewer_and_another_lab_cannot_return_it(cast, client_of, order):
    assert send(client_of(cast.vera), order, reason="margin").status_code == 403
    assert send(client_of(cast.bruno), order, reason="margin").status_code == 404
    assert returns_of(order) == []


def test_a_foreign_case_answers_like_a_missing_one(cast, client_of):
    order = make_order(cast.lab_a, make_pairing(cast.lab_a))
    bruno = client_of(cast.bruno)
    missing = bruno.get("/cases/00000000-0000-4000-8000-000000000000/return")
    assert bruno.get(f"/cases/{order.pk}/return").content == missing.content
