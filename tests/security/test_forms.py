"""What a form takes: its own fields from its own body, with its token; nothing else that comes along."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from connector.orders.models import Order
from labportal.labs.models import Lab, User
from labportal.labs.tenancy import in_lab
from tests.cast import Cast
from tests.isolation.routes import NOBODY, NOTHING, ROUTES
from tests.orders.make import make_order, make_pairing

# Programs call these with a key or a secret of their own; no cookie opens them.
BY_KEY = {"notify", "lms:api-root"}
FORMS = sorted({name for name, route in ROUTES.items() if route.post not in {NOBODY, NOTHING}} - BY_KEY)


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("name", FORMS)
def test_every_form_needs_its_token(name: str, cast: Cast, client_of: Any) -> None:
    visitor = Client(enforce_csrf_checks=True)
    visitor.cookies = client_of(cast.anna).cookies
    address = reverse(
        name, kwargs={key: "1" if key in {"number", "pk"} else str(uuid4()) for key in ROUTES[name].takes}
    )
    answer = visitor.post(address, ROUTES[name].form)
    assert answer.status_code == 403


def test_there_are_forms() -> None:
    assert len(FORMS) > 50


@pytest.mark.usefixtures("committed")
def test_a_field_that_the_form_does_not_have_changes_nothing(cast: Cast, client_of: Any) -> None:
    """An owner may set three fields of the lab; the row has more."""
    form = {"name": "Lab A", "time_zone": "Europe/Oslo", "tooth_notation": "fdi"}
    more = {"slug": "lab-b", "mfa_required": "on", "sso_required": "on", "id": str(cast.lab_b.pk)}
    assert client_of(cast.anna).post(reverse("lab_settings"), form | more).status_code in {200, 302}
    with in_lab(cast.lab_a.pk):
        lab = Lab.objects.get(pk=cast.lab_a.pk)
    assert (lab.slug, lab.mfa_required, lab.sso_required) == ("lab-a", False, False)


@pytest.mark.usefixtures("committed")
def test_nobody_joins_as_the_operator_by_a_field_of_their_own(cast: Cast, client_of: Any) -> None:
    cache.clear()
    form = {
        "email": "carla@example.com",
        "role": "viewer",
        "is_staff": "on",
        "is_superuser": "on",
        "lab": cast.lab_b.pk,
    }
    client_of(cast.anna).post("/people/invite", form)
    assert not User.objects.filter(email="carla@example.com").exists()
    assert User.objects.filter(is_staff=True).count() == 1
    form = {"role": "operator"}
    answer = client_of(cast.anna).post("/people/invite", {"email": "dora@example.com", **form})
    assert "Select a valid choice" in answer.content.decode()


@pytest.mark.usefixtures("db")
def test_a_value_in_the_address_is_none_of_the_form(cast: Cast, client_of: Any) -> None:
    order = make_order(cast.lab_a, make_pairing(cast.lab_a))
    client_of(cast.theo).post(f"/cases/{order.pk}/workflow?workflow=done", {})
    with in_lab(cast.lab_a.pk):
        before = Order.objects.of(cast.lab_a).get(pk=order.pk).workflow
    assert before != "done"
    client_of(cast.theo).post(f"/cases/{order.pk}/workflow?workflow=new", {"workflow": "done"})
    with in_lab(cast.lab_a.pk):
        assert Order.objects.of(cast.lab_a).get(pk=order.pk).workflow == "done"
