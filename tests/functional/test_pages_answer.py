"""What a page does under a hand, in a real browser: buttons after a download, what a download had to say, a phone."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.chromium import PATIENCE_MS
from tests.functional.conftest import Demo, sign_in, wait_for

pytestmark = pytest.mark.browser
LONG = "Müller-Lüdenscheidt von und zu Hohenstein-Ernstthal, Wolfeschlegelsteinhausenbergerdorff"


@pytest.fixture(scope="module")
def case(demo: Demo) -> str:
    """The order id of a case that is here with its files."""
    last, first = LONG.split(", ")
    order_id = demo.scan(479, first, last, triangles=5000)
    wait_for(lambda: _ready(demo, order_id), what="the files are read")
    return order_id


@pytest.fixture(scope="module")
def without_files(demo: Demo) -> str:
    """The order id of a case whose zip can't be read. (Of a vendor that is down, the pairing would pause, and with it
    the cases of the tests after this one.)"""
    return demo.scan(479, "Greta", "Locked", zip="encrypted")


def _ready(demo: Demo, order_id: str) -> bool:
    listed = demo.rest("/api/v1/orders?limit=200", "Nordlicht Dental").json()["items"]
    return any(one["order_id"] == order_id and one["revisions"][-1]["state"] == "ready" for one in listed)


def _open(page: Page, demo: Demo, order_id: str) -> None:
    page.goto(f"{demo.url}/?lane=all")
    page.locator("tr.row", has_text=order_id).locator(".name a").click()
    expect(page.locator("#viewer")).to_have_attribute("data-state", "ready")


def test_a_preview_that_the_store_does_not_give_back_is_no_broken_scan(
    demo: Demo, demo_data: Path, browser: Browser, case: str
) -> None:
    """The words ask to come again; those for a mesh that can't be drawn would say that the file is there."""
    with browser.new_context() as context:  # not `page`: its console may say nothing, and here it says what failed
        page = context.new_page()
        sign_in(page, demo, demo.user("viewer"))
        page.goto(f"{demo.url}/?lane=all")
        link = page.locator("tr.row", has_text=case).locator(".name a")
        pk = (link.get_attribute("href") or "").split("/")[2]
        derived = next((demo_data / "data" / "scans").glob(f"labs/*/{pk}/*/derived"))
        with unreadable(derived):
            link.click()
            problems = page.locator("[data-part=problems]")
            expect(problems.locator("li").first).to_contain_text("cannot be read just now")
            assert "can still be downloaded" not in problems.inner_text()


@contextmanager
def unreadable(folder: Path) -> Iterator[None]:
    """A folder in place of each file: it opens, and can't be read."""
    aside = folder.with_name("aside")
    folder.rename(aside)
    for file in aside.iterdir():
        (folder / file.name).mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder)
        aside.rename(folder)


def test_after_a_patients_data_was_downloaded_remove_answers_at_once(demo: Demo, page: Page, case: str) -> None:
    sign_in(page, demo, demo.user("owner"))
    page.goto(f"{demo.url}/data/")
    page.get_by_label("Patient's name").fill(case)
    page.get_by_role("button", name="Find").click()
    page.locator("input[name=order]").check()
    with page.expect_download():
        page.get_by_role("button", name="Download all data").click()
    page.get_by_role("button", name="Remove …").click()
    expect(page.get_by_role("heading", name="Remove cases")).to_be_visible()


def test_what_is_not_in_a_download_is_said_on_the_page_that_asked(
    demo: Demo, page: Page, case: str, without_files: str
) -> None:
    sign_in(page, demo, demo.user("technician"))
    for order_id in (case, without_files):
        row = page.locator("tr.row", has_text=order_id)
        expect(row).to_be_visible()
        row.locator("input").check()
    with page.expect_download():
        page.locator("#download").click()
    expect(page.locator("#notices")).to_contain_text("1 selected case is not in the download")


def test_on_a_phone_no_button_of_the_viewer_covers_the_scan(demo: Demo, page: Page, case: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, demo, demo.user("viewer"))
    _open(page, demo, case)
    stage, tools = page.locator(".viewer-stage").bounding_box(), page.locator(".viewer-tools").bounding_box()
    assert stage
    assert tools
    assert tools["y"] >= stage["y"] + stage["height"]


def test_the_page_of_a_case_shows_the_whole_name(demo: Demo, page: Page, case: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, demo, demo.user("viewer"))
    _open(page, demo, case)
    name = page.get_by_role("heading", level=1)
    expect(name).to_contain_text(LONG)
    assert name.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_the_open_page_of_a_case_without_files_shows_by_itself_what_has_changed(
    demo: Demo, page: Page, browser: Browser, without_files: str
) -> None:
    sign_in(page, demo, demo.user("viewer"))
    page.goto(f"{demo.url}/?lane=all")
    page.locator("tr.row", has_text=without_files).locator(".name a").click(timeout=PATIENCE_MS)
    with page.expect_event("load", timeout=PATIENCE_MS), browser.new_context() as context:
        colleague = context.new_page()
        sign_in(colleague, demo, demo.user("technician"))
        colleague.goto(page.url)
        colleague.get_by_role("button", name="In work").click()
        expect(colleague.get_by_role("button", name="In work")).to_have_attribute("aria-pressed", "true")
