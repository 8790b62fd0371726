"""The whole job in a real browser: sign in, watch a case arrive, see it in 3D, download, return, re-scan, export."""

import hashlib
import re
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.functional.conftest import Demo, sign_in, wait_for

pytestmark = pytest.mark.browser

LAB_A, LAB_B = "Nordlicht Dental", "Harbour Ceramics"


def row_of(page: Page, order_id: str) -> object:
    return page.locator("tr.row", has_text=order_id)


@pytest.mark.parametrize("role", ["owner", "technician", "viewer"])
def test_each_person_of_the_lab_signs_in_and_sees_its_inbox(demo: Demo, page: Page, role: str) -> None:
    sign_in(page, demo, demo.user(role))
    expect(page.get_by_role("heading", name="Inbox", level=1)).to_be_visible()
    expect(page.locator(".side")).to_contain_text(LAB_A)


def test_the_operator_signs_in_and_reaches_the_admin_site(demo: Demo, page: Page) -> None:
    page.goto(f"{demo.url}/admin/")
    page.fill("input[name=login]", demo.user("operator")["email"])
    page.fill("input[name=password]", demo.user("operator")["password"])
    page.click("main form button[type=submit], main form button:not([type])")
    page.wait_for_url(re.compile(r"/admin/$"))
    expect(page.locator("body")).to_contain_text("Pairings")


def test_a_wrong_password_is_refused_in_words(demo: Demo, page: Page) -> None:
    page.goto(f"{demo.url}/accounts/login/")
    page.fill("input[name=login]", demo.user("owner")["email"])
    page.fill("input[name=password]", "not the password")
    page.click("main form button[type=submit], main form button:not([type])")
    expect(page.locator("main")).to_contain_text("not correct")


def test_a_case_arrives_while_one_watches_and_goes_its_whole_way(demo: Demo, page: Page, tmp_path: Path) -> None:
    sign_in(page, demo, demo.user("technician"))
    order_id = demo.scan(479, "Greta", "Ångström-Watching", triangles=20000)
    row = page.locator("tr.row", has_text=order_id)
    expect(row).to_be_visible()  # no reload: the list refreshes itself
    expect(row).to_contain_text("Ångström-Watching, Greta")
    wait_for(lambda: _state(demo, order_id) == "ready", what="the files are read")

    row.locator(".name a").click()
    expect(page.locator("#viewer")).to_have_attribute("data-state", "ready")
    page.get_by_role("button", name="Lower jaw").click()
    expect(page.get_by_role("button", name="Lower jaw")).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".timeline")).to_contain_text("stored and verified")

    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download", exact=True).click()
    zip_file = tmp_path / "case.zip"
    waiting.value.save_as(zip_file)
    sent = demo.order(order_id)["revisions"][0]["sha256_full"]
    assert hashlib.sha256(zip_file.read_bytes()).hexdigest() == sent
    assert "Ångström" not in waiting.value.suggested_filename

    page.reload()
    page.get_by_role("link", name="Return to doctor").click()
    page.get_by_label("Margin is not clear").check()
    page.fill("textarea[name=comment]", "Please show the distal margin.")
    page.get_by_role("button", name="Return to doctor").click()
    expect(page.locator("main")).to_contain_text("on its way to Align")

    wait_for(lambda: len(demo.order(order_id)["revisions"]) == 2, what="the doctor scans again")
    assert demo.order(order_id)["returns"][0]["reason"] == "margin"
    wait_for(lambda: _state(demo, order_id, revision=2) == "ready", what="the re-scan is here")
    page.goto(f"{demo.url}/?lane=all")
    again = page.locator("tr.row", has_text=order_id)
    expect(again).to_have_count(1)
    expect(again).to_contain_text("re-scan 2")
    again.locator(".name a").click()
    expect(page.locator(".revisions > li")).to_have_count(2)
    expect(page.locator(".revisions")).to_contain_text("Upper jaw: changed")
    expect(page.locator(".revisions")).to_contain_text("Lower jaw: identical")


def _listed(demo: Demo, lab: str) -> list[dict[str, object]]:
    answer = demo.rest("/api/v1/orders?limit=500", lab)
    assert answer.status_code == 200
    items: list[dict[str, object]] = answer.json()["items"]
    return items


def _state(demo: Demo, order_id: str, revision: int = 1) -> str:
    for item in _listed(demo, LAB_A):
        if item["order_id"] == order_id:
            for one in item["revisions"]:  # type: ignore[attr-defined]  # JSON
                if one["number"] == revision:
                    return str(one["state"])
    return ""


def test_rest_gives_the_same_cases_with_the_key_and_nothing_with_the_other_labs_key(demo: Demo, page: Page) -> None:
    sign_in(page, demo, demo.user("viewer"))
    page.goto(f"{demo.url}/?lane=all")
    shown = {text.split(" · ")[0] for text in page.locator("tr.row .c-patient .sub").all_inner_texts()}
    items = _listed(demo, LAB_A)
    assert shown
    assert shown <= {str(item["order_id"]) for item in items}
    first = items[0]["id"]
    assert demo.rest(f"/api/v1/orders/{first}", LAB_A).status_code == 200
    assert demo.rest(f"/api/v1/orders/{first}", LAB_B).status_code == 404
    assert requests.get(f"{demo.url}/api/v1/orders", timeout=10).status_code == 401


def test_rest_hands_out_the_very_bytes_that_align_sent(demo: Demo) -> None:
    ready = wait_for(
        lambda: [i for i in _listed(demo, LAB_A) if i["revisions"] and i["revisions"][0]["state"] == "ready"],  # type: ignore[index]  # JSON
        what="a case is ready",
    )[0]
    detail = demo.rest(f"/api/v1/orders/{ready['id']}", LAB_A).json()
    url = detail["revisions"][0]["content_url"].removeprefix(demo.url)
    body = demo.rest(url, LAB_A).content
    assert hashlib.sha256(body).hexdigest() == demo.order(detail["order_id"])["revisions"][0]["sha256_full"]


def test_lab_b_is_paired_in_the_browser_and_its_case_arrives(demo: Demo, page: Page) -> None:
    sign_in(page, demo, demo.user("owner", LAB_B))
    page.get_by_role("link", name="Connections").first.click()
    page.get_by_role("button", name="Connect to Align").click()
    page.get_by_label("User name").fill("harbour@myitero.example")
    page.get_by_label("Password").fill("scan-demo")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Allow").click()
    page.get_by_text("Harbour Ceramics", exact=True).last.click()
    page.get_by_role("button", name="Connect this account").click()
    expect(page.locator("main")).to_contain_text("is connected")
    order_id = demo.scan(512, "Olu", "Harbourside", triangles=5000)
    page.goto(demo.url)
    expect(page.locator("tr.row", has_text=order_id)).to_be_visible()


def test_consent_denied_is_said_in_words(demo: Demo, page: Page) -> None:
    sign_in(page, demo, demo.user("owner"))
    page.goto(f"{demo.url}/connections/")
    page.get_by_role("button", name="Connect another account").click()
    page.get_by_label("User name").fill("solo@myitero.example")
    page.get_by_label("Password").fill("scan-demo")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Deny").click()
    expect(page.locator("main")).to_contain_text("was not allowed")


@pytest.mark.parametrize("path", ["/", "/?lane=all", "/connections/"])
def test_pages_fit_a_phone(demo: Demo, page: Page, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, demo, demo.user("owner"))
    page.goto(f"{demo.url}{path}")
    assert page.locator("html").evaluate("e => e.scrollWidth") <= 390
