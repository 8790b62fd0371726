"""The request's transaction: the lab is named in it, pages render in it, bodies stream after it, errors undo it."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import RequestFactory
from django.utils import timezone

from connector.orders.models import Order
from labportal.labs.access import member
from labportal.labs.middleware import LabMiddleware, commits_itself
from labportal.labs.models import Lab, User
from labportal.labs.tenancy import in_lab
from tests.orders.make import make_order, make_pairing


@pytest.fixture(autouse=True)
def _database(request):
    """Rolled back after each test, but for those that look at where a transaction ends."""
    request.getfixturevalue("committed" if "committed" in request.fixturenames else "db")


def nothing(request):
    return HttpResponse()


def ask(view, user=None, path="/"):
    """The view as the middleware runs it for this person."""
    request = RequestFactory().get(path)
    request.user, request.session = user or AnonymousUser(), SessionStore()
    return LabMiddleware(nothing).process_view(request, view, (), {})


def setting(name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s, true)", [name])
        return cursor.fetchone()[0] or ""


def rename_anna(name):
    User.objects.filter(email="anna@example.com").update(name=name)


def name_of_anna():
    return User.objects.get(email="anna@example.com").name


@pytest.fixture
def order(cast):
    return make_order(cast.lab_a, make_pairing(cast.lab_a), "111")


def test_a_view_sees_its_persons_lab_and_no_other(cast, order):
    seen = []

    def view(request):
        seen.extend([request.lab, setting("app.lab_id"), setting("app.user_id"), Order.objects.count()])
        return HttpResponse()

    ask(view, cast.anna)
    assert seen == [cast.lab_a, str(cast.lab_a.pk), str(cast.anna.pk), 1]
    seen.clear()
    ask(view, cast.bruno)
    assert seen == [cast.lab_b, str(cast.lab_b.pk), str(cast.bruno.pk), 0]


@pytest.mark.parametrize("person", ["nobody", "nina"])
def test_somebody_without_a_lab_acts_for_none_and_sees_no_row(cast, order, person):
    def view(request):
        assert request.lab is None
        assert request.membership is None
        assert setting("app.lab_id") == ""
        return HttpResponse(str(Order.objects.count()))

    assert ask(view, None if person == "nobody" else cast.nina).content == b"0"


def test_a_template_response_is_rendered_inside_the_transaction(cast, order):
    template = engines["django"].from_string("{% for order in orders %}{{ order.order_id }}{% endfor %}")

    def view(request):
        return TemplateResponse(request, template, {"orders": Order.objects.all()})  # asked for while it renders

    assert ask(view, cast.anna).content == b"111"


def test_what_a_view_wrote_stays_when_it_answers_well(cast):
    def view(request):
        rename_anna("New")
        return HttpResponse(status=404)

    ask(view, cast.anna)
    assert name_of_anna() == "New"


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_answer_that_something_failed_undoes_what_was_written(cast, status):
    def view(request):
        rename_anna("New")
        return HttpResponse(status=status)

    assert ask(view, cast.anna).status_code == status
    assert name_of_anna() == "Anna"


@pytest.mark.parametrize("error", [ValueError, Http404, PermissionError])
def test_an_exception_undoes_what_was_written_and_goes_on(cast, error):
    def view(request):
        rename_anna("New")
        raise error("no")

    with pytest.raises(error):
        ask(view, cast.anna)
    assert name_of_anna() == "Anna"


def test_a_view_that_commits_itself_runs_in_no_transaction_and_has_its_lab_named(cast, committed):
    @commits_itself
    def view(request):
        assert not connection.in_atomic_block
        assert request.lab == cast.lab_a
        assert setting("app.lab_id") == ""  # it opens short ones of its own, with in_lab
        return HttpResponse()

    assert ask(view, cast.anna).status_code == 200


def test_the_mark_survives_the_access_door():
    assert vars(commits_itself(member(nothing)))["commits_itself"]


def test_a_body_streams_after_the_transaction(cast, committed):
    def view(request):
        return StreamingHttpResponse(str(connection.in_atomic_block).encode() for _ in range(1))

    assert b"".join(ask(view, cast.anna).streaming_content) == b"False"


def test_the_lab_is_forgotten_when_the_request_ends(cast, committed):
    ask(nothing, cast.anna)
    assert setting("app.lab_id") == ""


def test_times_are_those_of_the_labs_zone_and_afterwards_as_before(cast):
    def zone(request):
        return HttpResponse(timezone.get_current_timezone_name())

    before = timezone.get_current_timezone_name()
    assert ask(zone, cast.anna).content == b"Europe/Oslo"
    assert ask(zone, cast.bruno).content == b"UTC"
    assert ask(zone).content == b"UTC"
    assert timezone.get_current_timezone_name() == before


def test_an_operators_page_is_in_no_transaction_of_ours(cast, committed):
    seen = []

    def view(request):
        seen.append((connection.in_atomic_block, Lab.objects.count()))
        return HttpResponse()

    ask(view, cast.olga, "/admin/")
    assert seen == [(False, 2)]  # as operator: every lab


def test_the_operators_way_is_open_below_admin_only(cast):
    def view(request):
        return HttpResponse(str(Lab.objects.count()))

    assert ask(view, cast.olga, "/").content == b"0"


def test_a_person_who_is_no_operator_does_not_get_the_operators_way_below_admin(cast):
    def view(request):
        return HttpResponse(str(Lab.objects.count()))

    assert ask(view, cast.anna, "/admin/").content == b"1"


def test_a_nested_transaction_of_another_lab_gives_the_first_one_back(cast, order):
    def view(request):
        with in_lab(cast.lab_b.pk):
            assert Order.objects.count() == 0
        with transaction.atomic():
            assert setting("app.lab_id") == str(cast.lab_a.pk)
        return HttpResponse(str(Order.objects.count()))

    assert ask(view, cast.anna).content == b"1"


def test_a_page_about_an_error_names_no_lab(cast, client_of):
    anna = client_of(cast.anna)
    missing = anna.get("/cases/00000000-0000-4000-8000-000000000000")
    assert missing.status_code == 404
    assert b"Lab A" not in missing.content
