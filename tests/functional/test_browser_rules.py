"""Every page in a real browser: the Content-Security-Policy stops nothing of ours, and does stop what is not ours."""

from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.functional.conftest import Demo, sign_in, wait_for

pytestmark = pytest.mark.browser

INLINE = (
    "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s) }"
)
PICTURE = (
    "() => { const i = document.createElement('img'); i.src = 'https://elsewhere.example/x'; document.body.append(i) }"
)
STARTS = {"owner": "/", "operator": "/admin/"}
# A page each, of addresses that differ only by an id or a choice.
AT_MOST = 60


@pytest.fixture
def watched(browser: Browser, demo: Demo) -> Any:
    """A visitor whose browser says what its rules stopped, and every complaint on its console."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    said: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text) if counts(message) else None)
    yield page, said
    context.close()


def counts(message: ConsoleMessage) -> bool:
    """Errors and warnings, but for what the software renderer says of its own speed."""
    return message.type in {"error", "warning"} and "GL Driver Message" not in message.text


def pattern(address: str) -> str:
    """The address without ids and choices: one case page stands for all."""
    path = address.split("#")[0].split("?")[0]
    return "/".join("ID" if any(c.isdigit() for c in part) else part for part in path.split("/"))


def walk(page: Page, demo: Demo, start: str) -> set[str]:
    """Follow every link of this site, one page of a kind; the kinds that were seen."""
    seen: set[str] = set()
    ahead = [f"{demo.url}{start}"]
    while ahead and len(seen) < AT_MOST:
        address = ahead.pop(0)
        if pattern(address) in seen or not address.startswith(demo.url):
            continue
        seen.add(pattern(address))
        page.goto(address)
        page.wait_for_load_state("load")
        if page.locator("#viewer").count():
            wait_for(
                lambda: page.locator("#viewer").get_attribute("data-state") in {"ready", "none"}, what="the 3D view"
            )
        links = page.eval_on_selector_all("a[href]:not([download])", "all => all.map(a => a.href)")
        ahead += [link for link in links if not is_file(link)]
    return seen


def is_file(link: str) -> bool:
    return any(word in link for word in ("/zip", "/files/", "/jsi18n", "/static/"))


@pytest.mark.parametrize("role", sorted(STARTS))
def test_no_page_of_ours_is_stopped_by_the_rules(demo: Demo, watched: tuple[Page, list[str]], role: str) -> None:
    page, said = watched
    _a_case_is_there(demo)
    sign_in(page, demo, demo.user(role))
    kinds = walk(page, demo, STARTS[role])
    assert len(kinds) >= 10, kinds
    assert said == []


def _a_case_is_there(demo: Demo) -> None:
    wait_for(
        lambda: demo.rest("/api/v1/orders?limit=1", "Nordlicht Dental").json()["items"],
        seconds=60,
        what="a case is here",
    )


def test_what_is_not_ours_is_stopped(demo: Demo, watched: tuple[Page, list[str]]) -> None:
    """The control: with an inline script and a foreign picture on the page, the same watch speaks."""
    page, said = watched
    page.goto(f"{demo.url}/accounts/login/")
    assert said == []
    page.evaluate(INLINE)
    page.evaluate(PICTURE)
    page.wait_for_timeout(500)
    assert ["script" in said[0], "img-src" in said[1]] == [True, True]
    assert page.evaluate("() => window.ran") is None


def test_signing_out_leaves_no_cookie_and_nothing_stored(demo: Demo, browser: Browser) -> None:
    context: BrowserContext = browser.new_context()
    page = context.new_page()
    sign_in(page, demo, demo.user("owner"))
    page.evaluate("() => localStorage.setItem('portal-theme', 'dark')")
    page.evaluate("() => document.querySelector('form[action$=\"/logout/\"]').submit()")
    page.wait_for_url("**/accounts/login/**")
    wait_for(lambda: page.evaluate("() => localStorage.length") == 0, what="an empty storage")
    assert "sessionid" not in {cookie.get("name") for cookie in context.cookies()}
    page.goto(f"{demo.url}/")
    assert "/accounts/login" in page.url
    context.close()
