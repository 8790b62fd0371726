"""The inbox shows a lab its own cases, in the lab's words."""

import pytest

from tests.orders.make import make_order, make_pairing

pytestmark = pytest.mark.django_db


def test_a_lab_sees_its_own_case_and_another_lab_does_not(cast, client_of):
    make_order(cast.lab_a, make_pairing(cast.lab_a), "111222333")
    assert b"111222333" in client_of(cast.anna).get("/").content
    assert b"111222333" not in client_of(cast.bruno).get("/").content


def test_a_name_with_a_script_is_shown_as_text(cast, client_of):
    make_order(cast.lab_a, make_pairing(cast.lab_a), patient_last="<script>alert(1)</script>")
    page = client_of(cast.theo).get("/").content
    assert b"<script>alert(1)" not in page
    assert b"&lt;script&gt;alert(1)" in page


def test_a_foreign_case_answers_like_a_missing_one(cast, client_of):
    order = make_order(cast.lab_a, make_pairing(cast.lab_a))
    bruno = client_of(cast.bruno)
    foreign = bruno.get(f"/cases/{order.pk}")
    missing = bruno.get("/cases/00000000-0000-4000-8000-000000000000")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content


def test_a_case_page_opens(cast, client_of):
    order = make_order(cast.lab_a, make_pairing(cast.lab_a), revisions=2)
    page = client_of(cast.vera).get(f"/cases/{order.pk}")
    assert page.status_code == 200
    assert "Re-scan 2" in page.content.decode()
