"""One person opens so many cases and files within an hour, then no more: in words, in the audit, and nobody else."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from labportal.audit.models import Entry
from labportal.labs.tenancy import in_lab
from tests.orders.make import make_order
from tests.orders.pages import text_of
from tests.orders.stored import stored
from tests.orders.taking import address, body, files_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _three_an_hour(settings):
    settings.OPENED_AN_HOUR = 3


def opened(client, *urls):
    return [client.get(url).status_code for url in urls]


def told(lab):
    """The facts of the audit's entries about it."""
    with in_lab(lab.pk):
        return [json.loads(entry.facts) for entry in Entry.objects.filter(chain=lab.pk, action="case.too_fast")]


def test_pages_and_files_are_counted_together_and_the_next_one_is_refused_in_words(cast, client_of, case):
    vera = client_of(cast.vera)
    assert opened(vera, case.url, case.zip_url, address(case, files_of(case)[0])) == [200, 200, 200]
    answer = vera.get(case.url)
    assert answer.status_code == 429
    page = text_of(answer)
    assert "More than 3 cases and files within an hour" in page
    assert "Nothing is lost" in page
    assert case.order.patient not in page
    assert 0 < int(answer["Retry-After"]) <= 3600
    assert answer["Cache-Control"] == "no-store"
    assert opened(vera, case.zip_url, address(case, files_of(case)[0])) == [429, 429]


def test_the_lab_reads_it_in_its_audit_once(cast, client_of, case):
    vera = client_of(cast.vera)
    opened(vera, *[case.url] * 6)
    assert told(cast.lab_a) == [{"most": 3}]
    assert "Opened more than 3 cases and files within an hour, and was stopped" in text_of(
        client_of(cast.anna).get("/audit/")
    )


def test_nobody_else_is_slowed_down(cast, client_of, case):
    opened(client_of(cast.vera), *[case.url] * 4)
    assert opened(client_of(cast.theo), case.url) == [200]


def test_what_comes_with_a_page_and_lists_are_not_counted(cast, client_of, case):
    vera = client_of(cast.vera)
    small = [f"{address(case, file)}/preview" for file in files_of(case) if file.preview and file.role != "thumbnail"]
    assert len(small) >= 2
    assert set(opened(vera, *["/"] * 4, *small * 2, f"{case.url}/thumbnail")) == {200}
    assert opened(vera, case.url) == [200]


def test_each_case_of_a_zip_of_several_counts(cast, client_of, case, pairing, scans_dir):
    vera = client_of(cast.vera)
    more = [stored(cast.lab_a, make_order(cast.lab_a, pairing, str(n)), scans_dir, read=False) for n in range(2)]
    ids = [str(each.order.pk) for each in (case, *more)]
    body(vera.post("/cases/download", {"order": ids}))
    assert opened(vera, case.url) == [429]


def test_what_was_not_found_is_not_counted(cast, client_of, case):
    vera = client_of(cast.vera)
    nowhere = case.url.replace(str(case.order.pk), "00000000-0000-4000-8000-000000000000")
    assert opened(vera, *[nowhere] * 5) == [404] * 5
    assert opened(vera, case.url) == [200]


def test_the_next_hour_begins_anew(cast, client_of, case, monkeypatch):
    vera = client_of(cast.vera)
    assert opened(vera, *[case.url] * 4)[-1] == 429
    later = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert opened(vera, case.url) == [200]


def test_nought_is_no_bound(cast, client_of, case, settings):
    settings.OPENED_AN_HOUR = 0
    assert set(opened(client_of(cast.vera), *[case.url] * 6)) == {200}
