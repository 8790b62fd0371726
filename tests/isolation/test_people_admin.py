"""What the operator does with people and labs, and the middleware that lets it happen."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.core.exceptions import ImmediateHttpResponse
from django.core.management import CommandError, call_command
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.test import Client, RequestFactory

from connector.orders.models import Order
from labportal.labs.middleware import LabMiddleware
from labportal.labs.models import Lab, Membership, User
from labportal.labs.routers import as_operator
from tests.cast import Cast
from tests.isolation.conftest import Worlds


@pytest.fixture
def olga(committed: None, cast: Cast, client_of: Callable[..., Client]) -> Client:
    """The operator."""
    return client_of(cast.olga)


NEW_PERSON = {"email": "carla@example.com", "name": "Carla"}


def lab_form(**changes: str) -> dict[str, str]:
    """A new lab, and nobody in it."""
    form = {"name": "Lab C", "slug": "lab-c", "time_zone": "Europe/Oslo", "tooth_notation": "fdi"}
    return form | {"members-TOTAL_FORMS": "0", "members-INITIAL_FORMS": "0"} | changes


def test_the_operator_puts_a_person_into_a_lab(olga: Client, cast: Cast) -> None:
    form = {"lab": str(cast.lab_b.pk), "user": str(cast.nina.pk), "role": "viewer"}
    assert olga.post("/admin/labs/membership/add/", form).status_code == 302
    with as_operator():
        assert Membership.objects.get(user=cast.nina).lab_id == cast.lab_b.pk


def test_a_role_that_does_not_exist_is_refused(olga: Client, cast: Cast) -> None:
    form = {"lab": str(cast.lab_b.pk), "user": str(cast.nina.pk), "role": "king"}
    assert "Select a valid choice" in olga.post("/admin/labs/membership/add/", form).content.decode()


def test_the_operator_makes_a_lab(olga: Client) -> None:
    assert olga.post("/admin/labs/lab/add/", lab_form()).status_code == 302
    with as_operator():
        assert Lab.objects.get(slug="lab-c").time_zone == "Europe/Oslo"


def test_a_time_zone_that_does_not_exist_is_refused(olga: Client) -> None:
    """It would break every page of the lab."""
    page = olga.post("/admin/labs/lab/add/", lab_form(time_zone="Europe/Olso")).content.decode()
    assert "Select a valid choice" in page


def test_the_command_refuses_such_a_time_zone_too() -> None:
    with pytest.raises(CommandError, match="There is no time zone Europe/Olso"):
        call_command("createlab", "Lab C", "carla@example.com", time_zone="Europe/Olso")


def test_being_operator_is_one_switch(olga: Client, cast: Cast) -> None:
    olga.post("/admin/labs/user/add/", NEW_PERSON)
    carla = User.objects.get(email="carla@example.com")
    form = {"email": carla.email, "name": carla.name, "is_active": "on", "is_staff": "on"}
    assert olga.post(f"/admin/labs/user/{carla.pk}/change/", form).status_code == 302
    carla.refresh_from_db()
    assert (carla.is_staff, carla.is_superuser) == (True, True)


def test_a_persons_page_names_their_labs(olga: Client, cast: Cast) -> None:
    assert "Lab A (owner)" in olga.get(f"/admin/labs/user/{cast.anna.pk}/change/").content.decode()


def test_a_signed_in_stranger_is_refused_at_the_operators_door(cast: Cast, client_of: Any, committed: None) -> None:
    answer = client_of(cast.anna).get("/admin/login/")
    assert answer.status_code == 403
    assert b'name="password"' not in answer.content


def through_the_middleware(user: User, path: str, view: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Calls `view` as a request of `user` would."""
    request = RequestFactory().get(path)
    request.user, request.session = user, {}  # type: ignore[assignment]  # a plain dict serves the middleware
    return LabMiddleware(lambda _: HttpResponse()).process_view(request, view, (), {})


def test_a_page_that_renders_late_still_sees_its_lab(cast: Cast, worlds: Worlds) -> None:
    """A TemplateResponse asks the database while it renders."""

    def late(request: HttpRequest) -> HttpResponse:
        response = TemplateResponse(request, "400.html")
        response.add_post_render_callback(lambda done: seen.append(Order.objects.count()))
        return response

    seen: list[int] = []
    through_the_middleware(cast.anna, "/", late)
    assert seen == [1]


def test_an_operator_sees_one_lab_outside_of_the_operators_site(cast: Cast, worlds: Worlds) -> None:
    """Olga belongs to no lab: on the labs' own pages she is walled in like everybody."""
    seen: list[int] = []

    def count(request: HttpRequest) -> HttpResponse:
        seen.append(Order.objects.count())
        return HttpResponse()

    through_the_middleware(cast.olga, "/", count)
    through_the_middleware(cast.olga, "/admin/", count)
    through_the_middleware(cast.anna, "/admin/", count)
    assert seen == [0, 2, 1]


@pytest.mark.parametrize("trouble", [Http404(), ValueError()])
def test_what_a_view_wrote_before_it_failed_is_taken_back(trouble: Exception, cast: Cast, worlds: Worlds) -> None:
    def write_and_fail(request: HttpRequest) -> HttpResponse:
        assert Order.objects.update(notes="written") == 1
        raise trouble

    with pytest.raises(type(trouble)):
        through_the_middleware(cast.anna, "/", write_and_fail)
    with as_operator():
        assert not Order.objects.filter(notes="written").exists()


def test_what_a_view_wrote_before_it_answered_with_an_error_is_taken_back(cast: Cast, worlds: Worlds) -> None:
    def write_and_answer(request: HttpRequest) -> HttpResponse:
        Order.objects.update(notes="written")
        return HttpResponse(status=503)

    through_the_middleware(cast.anna, "/", write_and_answer)
    with as_operator():
        assert not Order.objects.filter(notes="written").exists()


def test_allauth_may_answer_in_the_place_of_a_view(cast: Cast, committed: None) -> None:
    """It raises to ask for the password again, or to answer at once; a handler would pass that on to it."""

    def answer_at_once(request: HttpRequest) -> HttpResponse:
        raise ImmediateHttpResponse(HttpResponse(status=429))

    assert through_the_middleware(cast.anna, "/", answer_at_once).status_code == 429
