"""Coming in, in a real browser: passkey, app, recovery code, company, and sessions that end."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.functional.conftest import ROOT, Demo, sign_in
from tests.identity.running import Provider, provider
from tests.signin import phone

pytestmark = pytest.mark.browser
LAB = "Nordlicht Dental"
PASSWORD = "demo-portal-2026"


@pytest.fixture(scope="module")
def in_portal(demo: Demo, demo_data: Path) -> Callable[[str], str]:
    """Run a few lines inside the demo's portal, as its operator would in a shell."""

    def run(code: str) -> str:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("DATABASE_")}
        environment |= {"DATA_DIR": str(demo_data / "data"), "BASE_URL": demo.url, "SIMULATOR": "1"}
        command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", code]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    return run


@pytest.fixture
def person(in_portal: Callable[[str], str]) -> Callable[[str], dict[str, str]]:
    """Somebody new in the lab, so that a second step set up here bothers no other test."""

    def made(name: str, role: str = "technician") -> dict[str, str]:
        email = f"{name}@nordlicht.example"
        in_portal(
            "from labportal.labs.models import Lab\n"
            "from labportal.labs.routers import as_operator\n"
            "from labportal.labs.services import add_member, create_person\n"
            f"with as_operator(): lab = Lab.objects.get(name={LAB!r})\n"
            f"add_member(lab=lab, user=create_person(email={email!r}, password={PASSWORD!r}), role={role!r})\n"
        )
        return {"email": email, "password": PASSWORD}

    return made


def type_password(page: Page, demo: Demo, user: dict[str, str]) -> None:
    page.goto(f"{demo.url}/accounts/login/")
    page.fill("input[name=login]", user["email"])
    page.fill("input[name=password]", user["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/accounts/logout/")
    page.locator("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def add_authenticator(page: Page) -> None:
    """A device with a fingerprint reader, as the browser's own test interface has it."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                "isUserVerified": True, "automaticPresenceSimulation": True,
            }
        },
    )  # fmt: skip


def inbox_of(page: Page) -> None:
    expect(page.get_by_role("heading", name="Inbox", level=1)).to_be_visible()


def test_a_passkey_is_added_and_opens_alone_and_as_second_step(
    demo: Demo, page: Page, person: Callable[[str], dict[str, str]]
) -> None:
    pia = person("pia")
    add_authenticator(page)
    sign_in(page, demo, pia)
    page.goto(f"{demo.url}/accounts/security/")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Sign in with it alone").check()
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator(".codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.locator("main")).to_contain_text("1 passkey")

    sign_out(page, demo)
    page.get_by_role("button", name="Sign in with a passkey").click()
    inbox_of(page)

    sign_out(page, demo)
    type_password(page, demo, pia)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    inbox_of(page)


def test_an_app_is_set_up_its_code_opens_once_and_a_recovery_code_opens_once(
    demo: Demo, page: Page, person: Callable[[str], dict[str, str]]
) -> None:
    tom = person("tom")
    sign_in(page, demo, tom)
    page.goto(f"{demo.url}/accounts/2fa/totp/activate/")
    expect(page.locator("img.qr")).to_be_visible()
    page.get_by_text("I can't scan it").click()
    secret = page.locator("#totp_secret").inner_text()
    phone.away_from_the_edge()
    page.get_by_label("Authenticator code").fill(phone.code(secret, step=-1))
    page.get_by_role("button", name="Turn on").click()
    recovery = page.locator(".codes code").first.inner_text()

    def come_in(code: str) -> None:
        sign_out(page, demo)
        type_password(page, demo, tom)
        page.get_by_label("Code").fill(code)
        page.get_by_role("button", name="Sign in", exact=True).click()

    code = phone.code(secret)
    come_in(code)
    inbox_of(page)
    come_in(code)
    expect(page.locator("main")).to_contain_text("was used before")
    page.get_by_role("button", name="Cancel").click()
    type_password(page, demo, tom)
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Sign in", exact=True).click()
    inbox_of(page)
    come_in(recovery)
    expect(page.locator("main")).to_contain_text("This code is not correct")


def test_one_button_ends_the_session_in_the_other_browser(
    demo: Demo, page: Page, browser: Browser, person: Callable[[str], dict[str, str]]
) -> None:
    ada = person("ada")
    other = browser.new_context().new_page()
    sign_in(other, demo, ada)
    sign_in(page, demo, ada)
    page.goto(f"{demo.url}/accounts/sessions/")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("button", name="Sign out all other browsers").click()
    expect(page.locator("main")).to_contain_text("You are signed in nowhere else.")
    other.goto(demo.url)
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    other.context.close()


def test_an_inbox_left_open_ends_by_itself_and_says_why(
    demo: Demo, page: Page, person: Callable[[str], dict[str, str]], in_portal: Callable[[str], str]
) -> None:
    ida = person("idle")
    sign_in(page, demo, ida)
    inbox_of(page)
    key = next(c["value"] for c in page.context.cookies() if c["name"] == "sessionid")
    in_portal(
        "from django.contrib.sessions.backends.db import SessionStore\n"
        f"s = SessionStore({key!r}); s['seen'] -= 3600; s.save()\n"
    )
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()  # the list refreshes each 10 s
    expect(page.locator("main")).to_contain_text("nothing was done here for a while")


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with provider(tmp_path_factory.mktemp("identity"), "harbour.example") as running:
        yield running


def test_an_owner_sets_up_the_companys_sign_in_and_comes_in_by_it(demo: Demo, page: Page, identity: Provider) -> None:
    owner = demo.user("owner", "Harbour Ceramics")
    sign_in(page, demo, owner)
    page.goto(f"{demo.url}/lab/sign-in")
    page.get_by_label("Issuer").fill(identity.url)
    page.get_by_label("Client id").fill(identity.client_id)
    page.get_by_label("Client secret").fill(identity.secret)
    page.get_by_role("button", name="Save the provider").click()
    expect(page.locator("main")).to_contain_text("Now register the return address")
    identity.register(page.locator("code", has_text="/callback").inner_text())
    sign_out(page, demo)

    page.get_by_role("link", name="Sign in with your company").click()
    page.get_by_label("Your e-mail address, or the short name of your lab").fill("harbour-ceramics")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{identity.url}/**")
    page.locator("input[name=login]").fill(owner["email"])
    page.locator("input[name=password]").fill(identity.password)
    page.locator("button[type=submit]").first.click()
    inbox_of(page)
    expect(page.locator(".side")).to_contain_text("Harbour Ceramics")
    page.goto(f"{demo.url}/lab/sign-in")
    expect(page.get_by_label("It is the only way into this lab")).to_be_visible()
    page.get_by_role("button", name="Remove the provider").click()
    expect(page.locator("main")).to_contain_text("Everybody signs in with their own password or passkey.")
