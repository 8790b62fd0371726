"""In a real browser: an owner invites somebody for one connection, who joins, sees its cases alone, and is removed."""

import re
from collections.abc import Iterator

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core import mail
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Page, expect

from connector.pairing.models import Pairing
from labportal.labs.tenancy import in_lab
from tests.cast import PASSWORD, Cast
from tests.chromium import chromium
from tests.orders.make import make_order, make_pairing
from tests.people.conftest import link_in

pytestmark = pytest.mark.browser
CARLA = "carla@example.com"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture
def server(committed: None, cast: Cast) -> Iterator[str]:
    """The portal in a thread; lab A has two connections with a case each."""
    for account, name, patient in (("first", "Nordic account", "Allowed"), ("second", "Southern account", "Hidden")):
        pairing = make_pairing(cast.lab_a, account)
        with in_lab(cast.lab_a.pk):
            Pairing.objects.of(cast.lab_a).filter(pk=pairing.pk).update(account_name=name)
        make_order(cast.lab_a, pairing, patient_last=patient)
    thread = LiveServerThread("localhost", StaticFilesHandler, connections_override={})
    thread.start()
    thread.is_ready.wait()
    assert thread.error is None
    yield f"http://localhost:{thread.port}"
    thread.terminate()


@pytest.fixture
def browser(server: str) -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


def visitor(browser: Browser, complaints: list[str], size: dict[str, int]) -> Page:
    """A fresh browser of its own, whose console must stay quiet but for the pages that are meant to be refused."""
    page = browser.new_context(viewport=size).new_page()  # type: ignore[arg-type]  # Playwright wants its own dict type
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" and "403" not in m.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


def sign_in(page: Page, server: str, email: str) -> None:
    page.goto(f"{server}/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", PASSWORD)
    page.click("main form button")
    page.wait_for_url(f"{server}/")


def is_not_wider_than_the_screen(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_invited_for_one_connection_then_removed(server: str, browser: Browser) -> None:
    complaints: list[str] = []
    anna, carla = visitor(browser, complaints, DESK), visitor(browser, complaints, PHONE)
    sign_in(anna, server, "anna@example.com")
    anna.click("text=People")
    anna.click("text=Invite somebody")
    anna.fill("input[name=email]", CARLA)
    anna.check("input[name=role][value=technician]")
    anna.check("input[name=which][value=some]")
    anna.check("text=Nordic account")
    anna.click("text=Send the invitation")
    expect(anna.locator("main")).to_contain_text(f"An invitation is on its way to {CARLA}")

    carla.goto(server + link_in(mail.outbox[-1]))
    expect(carla.locator("h1")).to_have_text("Join Lab A")
    assert carla.url == f"{server}/join/"
    assert is_not_wider_than_the_screen(carla)
    carla.fill("input[name=name]", "Carla Conti")
    carla.fill("input[name=password1]", PASSWORD)
    carla.fill("input[name=password2]", PASSWORD)
    carla.click("text=Make my log-in and join")
    carla.wait_for_url(f"{server}/")
    expect(carla.locator("main")).to_contain_text("Allowed")
    expect(carla.locator("main")).not_to_contain_text("Hidden")

    anna.goto(f"{server}/people/")
    row = anna.locator("tr", has_text="Carla Conti")
    expect(row).to_contain_text("Nordic account")
    row.locator("text=Change").click()
    anna.click("text=Remove from the lab")
    anna.click("main form button")
    expect(anna.locator("main")).to_contain_text("Carla Conti is no longer in the lab. Ended: 1 session, 0 API keys.")

    carla.goto(f"{server}/")
    expect(carla).to_have_url(re.compile("/accounts/login/"))
    sign_in(carla, server, CARLA)
    expect(carla.locator("main")).to_contain_text("you belong to no lab")
    assert complaints == []


def test_the_pages_of_people_fit_a_phone(server: str, browser: Browser) -> None:
    complaints: list[str] = []
    anna = visitor(browser, complaints, PHONE)
    sign_in(anna, server, "anna@example.com")
    for path in ("/people/", "/people/invite", "/people/leave", "/settings/"):
        anna.goto(server + path)
        assert is_not_wider_than_the_screen(anna), path
    assert complaints == []
