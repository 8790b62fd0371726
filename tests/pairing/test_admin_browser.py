"""Django's own admin in a real browser, under the portal's Content-Security-Policy: nothing of it is refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import Client
from django.test.testcases import LiveServerThread
from django.urls import reverse
from playwright.sync_api import Page

from labportal.labs.models import Lab, Membership
from labportal.labs.routers import as_operator
from tests.cast import Cast
from tests.chromium import chromium
from tests.isolation.world import World, make_world

pytestmark = pytest.mark.browser


@pytest.fixture
def world(committed: None, cast: Cast) -> World:
    return make_world(cast.lab_a, cast.anna, "QQalphaQQ")


@pytest.fixture
def server(world: World) -> Iterator[str]:
    """The portal in a thread, on the committed rows of this test."""
    thread = LiveServerThread("localhost", StaticFilesHandler, connections_override={})
    thread.start()
    thread.is_ready.wait()
    assert thread.error is None
    yield f"http://localhost:{thread.port}"
    thread.terminate()


@contextmanager
def operators_browser(server: str, client: Client) -> Iterator[tuple[Page, list[str]]]:
    """A page that is signed in, and the complaints of its console."""
    complaints: list[str] = []
    with chromium() as browser:
        context = browser.new_context()
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": server}])
        page = context.new_page()
        page.on(
            "console", lambda m: complaints.append(f"{page.url} {m.text}") if m.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: complaints.append(f"{page.url} {error}"))
        yield page, complaints


def addresses(world: World) -> list[str]:
    """Index, every list, the form of every row there is, and the forms to add."""
    found = [reverse("admin:index"), reverse("admin:password_change")]
    for model in admin.site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found.append(reverse(f"{base}_changelist"))
        row = model._default_manager.using("operator").first()
        if row is not None:
            found.append(reverse(f"{base}_change", args=[row.pk]))
    return found + [reverse(f"admin:labs_{name}_add") for name in ("user", "lab", "membership")]


def test_no_page_of_the_operator_breaks_the_content_security_policy(
    server: str, world: World, cast: Cast, client_of: Callable[..., Client]
) -> None:
    pages, client = addresses(world), client_of(cast.olga)
    assert "script-src 'self'" in client.get(pages[0]).headers["Content-Security-Policy"]
    with operators_browser(server, client) as (page, complaints):
        for address in pages:
            answer = page.goto(server + address)
            assert answer is not None
            assert answer.ok, address
        assert complaints == []


def test_a_member_is_chosen_by_typing(server: str, cast: Cast, client_of: Callable[..., Client]) -> None:
    client = client_of(cast.olga)
    with operators_browser(server, client) as (page, complaints):
        page.goto(server + reverse("admin:labs_membership_add"))
        page.locator(".field-user .select2-selection").click()
        page.locator(".select2-search__field").fill("nina")
        page.locator(".select2-results__option", has_text="nina@example.com").click()
        assert page.locator(".field-user .select2-selection__rendered").inner_text().endswith("nina@example.com")
        assert complaints == []


def test_a_lab_and_its_first_member_are_made_on_one_page(
    server: str, cast: Cast, client_of: Callable[..., Client]
) -> None:
    client = client_of(cast.olga)
    try:
        with operators_browser(server, client) as (page, complaints):
            page.goto(server + reverse("admin:labs_lab_add"))
            page.locator("#id_name").press_sequentially("Lab D")
            page.locator("#id_time_zone").select_option("Europe/Vienna")
            page.locator(".add-row a").click()
            page.locator("#members-0 .select2-selection").click()
            page.locator(".select2-search__field").fill("nina")
            page.locator(".select2-results__option", has_text="nina@example.com").click()
            page.locator("#id_members-0-role").select_option("viewer")
            page.locator("input[name=_save]").click()
            assert "was added successfully" in page.locator(".messagelist").inner_text()
            assert complaints == []
        with as_operator():
            assert Membership.objects.get(user=cast.nina).lab.slug == "lab-d"
    finally:
        with as_operator():
            Membership.objects.filter(user=cast.nina).delete()
            Lab.objects.filter(slug="lab-d").delete()


def test_the_operator_syncs_a_pairing_from_the_list(
    server: str, world: World, cast: Cast, client_of: Callable[..., Client]
) -> None:
    client = client_of(cast.olga)
    with operators_browser(server, client) as (page, complaints):
        page.goto(server + reverse("admin:pairing_pairing_changelist"))
        page.locator("input.action-select").check()
        page.locator("select[name=action]").select_option(label="Sync now")
        page.locator("button[name=index]").click()
        assert "Align is being asked for new cases now." in page.locator(".messagelist").inner_text()
        assert complaints == []


def test_an_inline_script_is_refused(server: str, cast: Cast, client_of: Callable[..., Client]) -> None:
    """The control: the console does complain when something breaks the policy."""
    client = client_of(cast.olga)
    with operators_browser(server, client) as (page, complaints):
        page.goto(server + reverse("admin:index"))
        page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
        assert page.evaluate("window.ran") is None
        assert len(complaints) == 1
