"""Somebody types a patient's name into every field that searches, as a browser would send it: no address has it then,
neither of a request nor of the page that it came from, nor any that an answer names."""

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from django.test import Client

from connector.break_glass.services import begin
from connector.orders.paging import PAGE
from labportal.labs.tenancy import in_lab
from tests.canary.everywhere import PATIENT, Canary, addresses_in, unpacked
from tests.cast import Cast
from tests.mails import Mails, mails  # noqa: F401 - a fixture
from tests.orders.make import make_order, make_pairing

HOST = "http://testserver"
ENDS = ("/logout", "/switch")
LINKS = re.compile(r'(href|hx-get)="(/[^"]*\?[^"]*)"')


@dataclass
class Form:
    action: str
    method: str
    searches: bool
    values: dict[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)


class Forms(HTMLParser):
    """The forms of a page, with what stands in their fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            method = given.get("method", "get").lower()
            self.found.append(Form(given.get("action", ""), method, given.get("role") == "search"))
            self._open = True
        elif tag in ("input", "select", "textarea") and self._open and given.get("name"):
            kind = given.get("type", "text") if tag == "input" else tag
            refused = "pattern" in given and not re.fullmatch(given["pattern"], PATIENT)  # a browser sends no such form
            if kind in ("search", "text", "textarea") and not refused:
                self.found[-1].typed.append(given["name"])
            elif kind in ("hidden", "date", "number"):
                self.found[-1].values[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag != "form"


class Browser:
    """Follows what a page offers and writes down every address that it uses, as a proxy and its history would."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.used: list[str] = []
        self.asked: set[str] = set()
        self.shown = 0

    def open(self, path: str, came_from: str = "", data: dict[str, str] | None = None, *, part: bool = False) -> str:
        """The page's own address after redirects."""
        headers = {"Referer": HOST + came_from} if came_from else {}
        if part:
            headers |= {"HX-Request": "true", "HX-Current-URL": HOST + came_from}
        self.used += [path, *headers.values()]
        answer: Any = (
            self.client.get(path, headers=headers) if data is None else self.client.post(path, data, headers=headers)
        )
        self.used.append(addresses_in(answer))
        if answer.status_code == 302:
            return self.open(urljoin(path, answer.headers["Location"]), came_from)
        assert answer.status_code == 200, (path, answer.status_code)
        self.page = "" if answer.streaming else answer.content.decode()
        answer.close()
        self.shown += PATIENT in self.page
        return path

    def type_into_every_search(self, path: str) -> None:
        """Each form that searches, and whatever else is sent by GET; then all links of what comes back."""
        self.open(path)
        for form in Forms(self.page).found:
            if form.typed and (
                form.searches or form.method == "get" or "patient" in form.action or "audit" in form.action
            ):
                self.asked.add(form.action or path)
                self._send(form, path)

    def _send(self, form: Form, path: str) -> None:
        data = form.values | dict.fromkeys(form.typed, PATIENT)
        target = urljoin(path, form.action)
        if form.method == "get":
            here = self.open(f"{urlsplit(target).path}?{urlencode(data)}", path)
        else:
            here = self.open(target, path, data)
        for kind, link in sorted(set(LINKS.findall(self.page))):
            self.open(unescape(link), here, part=kind == "hx-get")


@pytest.fixture
def full(committed: None, cast: Cast) -> None:
    """More cases of the patient than a page holds, so that there is a next one."""
    pairing = make_pairing(cast.lab_a)
    texts: Any = dict.fromkeys(("patient_last", "patient_first", "chart_number", "notes"), PATIENT)
    with in_lab(cast.lab_a.pk):
        for number in range(PAGE + 5):
            make_order(cast.lab_a, pairing, f"11458{number:03}", revisions=0, **texts)


def test_a_name_that_is_searched_for_gets_into_no_address(full: None, cast: Cast, client_of: Any) -> None:
    browser = Browser(client_of(cast.anna))
    for path in ("/", "/?lane=all&sort=patient", "/find/", "/audit/", "/data/", "/attention/"):
        browser.type_into_every_search(path)
    assert browser.asked >= {"/search", "/find/", "/audit/", "/data/patient"}
    assert browser.shown > 10  # the searches did find the patient
    assert any("hx" in used or "after=" in used for used in browser.used)  # the second page was opened
    assert Canary().lines_with("\n".join(browser.used).upper()) == []


def test_nor_in_the_operators_look(full: None, cast: Cast, client_of: Any, mails: Mails) -> None:  # noqa: F811 - the fixture
    look = begin(lab=cast.lab_a, by=cast.olga, reason="Anna asked: ticket 4711", minutes=15)
    browser, path = Browser(client_of(cast.olga)), f"/admin/break-glass/{look.pk}/"
    browser.type_into_every_search(path)
    assert path in browser.asked
    assert browser.shown == 2  # the list, and what the search found
    assert Canary().lines_with("\n".join(browser.used).upper()) == []


def test_nor_by_a_name_that_is_packed_into_a_cursor(full: None, cast: Cast, client_of: Any) -> None:
    browser = Browser(client_of(cast.anna))
    browser.open("/?lane=all&sort=patient")
    assert "after=" in browser.page
    links = "\n".join(link for _, link in LINKS.findall(browser.page))
    assert PATIENT not in unpacked(links).upper()  # the list is sorted by small letters


def test_control_a_form_by_get_is_found(full: None, cast: Cast, client_of: Any) -> None:
    browser = Browser(client_of(cast.anna))
    (form,) = Forms(
        '<form action="/find/"><input type="search" name="q"><input type="hidden" name="a" value="1">'
    ).found
    browser._send(form, "/find/")
    assert Canary().found_in("\n".join(browser.used)) == [PATIENT]
