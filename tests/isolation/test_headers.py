"""What every answer tells the browser: each address by both methods, and the answers that no view makes."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path, reverse

from labportal import urls
from labportal.browser_rules import DOWNLOAD_POLICY, PERMISSIONS
from tests.cast import PASSWORD, Cast
from tests.isolation.conftest import Worlds
from tests.isolation.routes import ROUTES
from tests.isolation.test_api_keys import with_key
from tests.isolation.test_every_url import EVERY_ROUTE, METHODS, Answer, ask, ids_of

EXACTLY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS,
}
# `default-src 'none'` says nothing about these two.
NOT_BY_DEFAULT = ("base-uri", "frame-ancestors")
# These hand out what came from outside, byte for byte.
DOWNLOADS = ("revision_zip", "file", "download_many", "patient_export", "audit_export", "lms:zip", "lms:file")


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level("CRITICAL"):
        yield


def missing(answer: Answer) -> list[str]:
    """What an answer lacks of the rules that hold for all."""
    headers = answer.headers
    wrong = [name for name, value in EXACTLY.items() if headers.get(name) != value]
    policy = headers.get("Content-Security-Policy", "")
    if "unsafe" in policy or any(f"{rule} 'none'" not in policy for rule in ("default-src", *NOT_BY_DEFAULT)):
        wrong.append(f"Content-Security-Policy: {policy}")
    if "no-store" not in headers.get("Cache-Control", ""):
        wrong.append("Cache-Control")
    kind = headers.get("Content-Type", "")
    if answer.body and (not kind or (kind.startswith("text/") and "charset=utf-8" not in kind.replace('"', ""))):
        wrong.append(f"Content-Type: {kind}")
    return wrong


@EVERY_ROUTE
def test_every_answer_carries_the_rules(name: str, worlds: Worlds, cast: Cast, client_of: Any) -> None:
    visitors = [client_of(cast.anna), client_of(cast.vera), Client(), with_key(cast.lab_a)]
    for visitor in visitors:
        for method in METHODS:
            for ids in (ids_of(worlds[0]), ids_of(None)):
                answer = ask(visitor, name, method, ids)
                assert missing(answer) == [], (method, answer.status)


@pytest.mark.parametrize("name", DOWNLOADS)
def test_a_download_is_kept_from_running_as_ours(name: str, worlds: Worlds, cast: Cast, client_of: Any) -> None:
    visitor = with_key(cast.lab_a) if name.startswith("lms:") else client_of(cast.anna)
    method = "GET" if ROUTES[name].get != ROUTES["workflow"].get else "POST"
    answer = ask(visitor, name, method, ids_of(worlds[0]))
    assert answer.status == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Security-Policy"] == DOWNLOAD_POLICY
    kinds = ("application/zip", "application/octet-stream", "text/csv")
    assert answer.headers["Content-Type"].startswith(kinds)


@EVERY_ROUTE
def test_the_list_of_downloads_is_complete(name: str, worlds: Worlds, cast: Cast, client_of: Any) -> None:
    visitor = with_key(cast.lab_a) if name.startswith("lms:") else client_of(cast.anna)
    headers = [ask(visitor, name, method, ids_of(worlds[0])).headers for method in METHODS]
    handed_out = any(each.get("Content-Disposition", "").startswith("attachment") for each in headers)
    assert handed_out == (name in DOWNLOADS)


@EVERY_ROUTE
def test_a_trace_is_refused_and_repeats_no_header(name: str, worlds: Worlds, cast: Cast, client_of: Any) -> None:
    ids = ids_of(worlds[0])
    address = reverse(name, kwargs={key: ids[ROUTES[name].uses.get(key, key)] for key in ROUTES[name].takes})
    answer: Any = client_of(cast.anna).trace(address, headers={"X-Repeated": "ZZREPEATED"})
    answer.close()
    assert "ZZREPEATED" not in f"{answer.headers} {b'' if answer.streaming else answer.content!r}"


# --- answers that no view makes


def plain(response: Any) -> Answer:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return Answer(response.status_code, dict(response.headers), body)


def fails(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a view that breaks")


@pytest.fixture
def broken_view(monkeypatch: pytest.MonkeyPatch, settings: Any) -> str:
    class Urls:
        urlpatterns = [*urls.urlpatterns, path("breaks", fails)]

    settings.ROOT_URLCONF = Urls
    return "/breaks"


@pytest.mark.usefixtures("committed")
def test_an_error_page_carries_the_rules(broken_view: str) -> None:
    visitor = Client(raise_request_exception=False, enforce_csrf_checks=True)
    login = {"login": "anna@example.com", "password": PASSWORD}
    answers = {
        400: visitor.get("/", headers={"Host": "elsewhere.example"}),
        403: visitor.post("/accounts/login/", login),
        404: visitor.get("/no/such/page"),
        500: visitor.get(broken_view),
    }
    assert {want: (got.status_code, missing(plain(got))) for want, got in answers.items()} == {
        want: (want, []) for want in (400, 403, 404, 500)
    }


@pytest.mark.usefixtures("db", "static_files_as_they_run")
def test_a_static_file_may_be_kept_but_obeys_the_other_rules() -> None:
    answer = plain(Client().get("/static/css/portal.css"))
    assert answer.status == 200
    assert missing(answer) == ["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert missing(plain(Client().get("/static/no-such.css"))) == []


@pytest.mark.usefixtures("db")
def test_https_is_kept_for_a_year_once_it_is_production(settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = []
    page = plain(Client().get("/accounts/login/", secure=True))
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    redirect = plain(Client().get("/accounts/login/"))
    assert redirect.status == 301
    assert missing(redirect) == []


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("address", ["/api/v1/orders", "/notify/some-secret"])
def test_what_programs_call_is_refused_over_http_and_not_redirected(settings: Any, address: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = plain(Client().post(address))
    assert answer.status == 403
    assert "Location" not in answer.headers
    assert missing(answer) == []
    assert plain(Client().post(address, secure=True)).status in {404, 405}


# --- the end of a session


def test_signing_out_leaves_nothing_in_the_browser(worlds: Worlds, cast: Cast, client_of: Any) -> None:
    visitor = client_of(cast.anna)
    assert "Clear-Site-Data" not in visitor.get("/").headers
    answer = visitor.post("/accounts/logout/")
    assert answer.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert visitor.get("/").headers["Location"].startswith("/accounts/login/")


@pytest.mark.usefixtures("committed")
def test_no_script_can_read_a_cookie_of_ours(cast: Cast) -> None:
    visitor = Client()
    visitor.get("/accounts/login/")
    visitor.post("/accounts/login/", {"login": "anna@example.com", "password": PASSWORD})
    assert set(visitor.cookies) >= {"sessionid", "csrftoken"}
    for cookie in visitor.cookies.values():
        assert cookie["httponly"], cookie.key
        assert cookie["samesite"] == "Lax", cookie.key
