"""What no address gives out: the folders of the installation, a list of files, debugging words."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path, reverse

from labportal import urls
from tests.cast import Cast
from tests.isolation.routes import ROUTES
from tests.labportal.test_settings import read

pytestmark = pytest.mark.usefixtures("db", "static_files_as_they_run")
HIDDEN = [
    "/.git/config", "/.git/HEAD", "/static/.git/config", "/static/../.git/config", "/static/..%2f.git%2fconfig",
    "/static/%2e%2e/uv.lock", "/manage.py", "/static/../labportal/settings.py", "/.env", "/.data/demo/secrets.json",
    "/static/..%2f..%2f..%2f..%2fetc%2fpasswd",
]  # fmt: skip


@pytest.mark.parametrize("address", HIDDEN)
def test_nothing_of_the_installation_can_be_fetched(address: str) -> None:
    assert Client().get(address).status_code in {400, 404}


@pytest.mark.parametrize("folder", ["/static/", "/static/css/", "/static/js", "/static/vendor/"])
def test_no_folder_is_listed(folder: str) -> None:
    there = Client().get("/static/css/portal.css")
    there.close()
    assert there.status_code == 200
    assert Client().get(folder).status_code == 404


def test_no_setting_of_the_environment_switches_debugging_on() -> None:
    assert read("DEBUG", DEBUG="1", DJANGO_DEBUG="1", BASE_URL="http://localhost:8000") == {"DEBUG": False}


def fails(request: HttpRequest) -> HttpResponse:
    secret = "ZZSECRET of a patient"
    raise RuntimeError(secret)


def test_a_page_that_breaks_says_so_in_words_and_nothing_else(settings: object) -> None:
    class Urls:
        urlpatterns = [*urls.urlpatterns, path("breaks", fails)]

    settings.ROOT_URLCONF = Urls  # type: ignore[attr-defined]  # pytest-django's settings
    answer = Client(raise_request_exception=False).get("/breaks")
    said = answer.content.decode()
    assert answer.status_code == 500
    assert not any(word in said for word in ("ZZSECRET", "RuntimeError", "Traceback", "test_answers", "SECRET_KEY"))


# --- the way out

PAGES = [
    name
    for name, route in ROUTES.items()
    if (route.get.split()[0], route.get.split()[-1]) == ("login", "ok") and not route.takes and name != "audit_export"
]


@pytest.mark.parametrize("name", PAGES)
def test_every_page_of_somebody_signed_in_has_the_way_out(name: str, cast: Cast, client_of: object) -> None:
    page = client_of(cast.anna).get(reverse(name)).content.decode()  # type: ignore[operator]  # the fixture is a function
    assert f'action="{reverse("account_logout")}"' in page
