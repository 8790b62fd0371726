"""The page "Data" as the owner uses it: preview before the rule, a hold, a patient's data out or away."""

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from connector.orders.models import Order, Revision
from connector.retention.models import RetentionPolicy
from labportal.labs.tenancy import in_lab
from tests.orders.make import make_order, make_pairing
from tests.orders.pages import text_of
from tests.orders.stored import rot, stored
from tests.orders.taking import body

pytestmark = pytest.mark.django_db


@pytest.fixture
def old(cast, case):
    """The case came in two years ago."""
    with in_lab(cast.lab_a.pk):
        Order.objects.of(cast.lab_a).update(received_at=timezone.now() - timedelta(days=730))
    return case


def policy(lab):
    with in_lab(lab.pk):
        return RetentionPolicy.objects.of(lab).first()


def removed(lab):
    with in_lab(lab.pk):
        return list(Order.with_erased.of(lab).exclude(erased_at=None).values_list("order_id", flat=True))


def test_the_preview_names_the_cases_and_changes_nothing(cast, client_of, old):
    anna = client_of(cast.anna)
    page = text_of(anna.get("/data/", {"days": "365"}))
    assert "With 365 days, 1 case (" in page
    assert "114582239" in page
    assert "nothing would be removed today" in text_of(anna.get("/data/", {"days": "800"}))
    assert policy(cast.lab_a) is None


def test_a_rule_begins_a_day_later_and_the_page_says_when(cast, client_of, old):
    anna = client_of(cast.anna)
    page = text_of(anna.post("/data/policy", {"days": "365"}, follow=True))
    assert "Cases are removed 365 days after their last scan came in." in page
    assert "The first case is removed after" in page
    assert policy(cast.lab_a).starts_at - timezone.now() > timedelta(hours=23)


def test_a_milder_rule_needs_no_day_and_does_not_shorten_the_one_that_runs(cast, client_of, old):
    anna = client_of(cast.anna)
    anna.post("/data/policy", {"days": "365"})
    starts = policy(cast.lab_a).starts_at
    anna.post("/data/policy", {"days": "400"})
    assert policy(cast.lab_a).starts_at == starts
    assert "Cases are kept until somebody removes them." in text_of(
        anna.post("/data/policy", {"days": ""}, follow=True)
    )


@pytest.mark.parametrize("days", ["1", "0", "-5", "29", "9999999", "x", "3e2", "\u0663\u0666\u0665"])
def test_an_absurd_number_of_days_is_refused_in_words(cast, client_of, old, days):
    anna = client_of(cast.anna)
    said = "Give a number of days from 30 to 36,500"
    assert said in text_of(anna.post("/data/policy", {"days": days}, follow=True))
    assert said in text_of(anna.get("/data/", {"days": days}))
    assert policy(cast.lab_a) is None


def test_the_case_page_says_until_when(cast, client_of, old):
    vera, anna = client_of(cast.vera), client_of(cast.anna)
    assert "Keeping" not in text_of(vera.get(old.url)), "nothing to say, and nothing she may do"
    anna.post("/data/policy", {"days": "3650"})
    page = text_of(vera.get(old.url))
    assert "This case is kept until" in page
    assert "legal hold on this case" not in page


def test_a_hold_needs_a_reason_is_shown_and_released(cast, client_of, old):
    anna, vera = client_of(cast.anna), client_of(cast.vera)
    said = text_of(anna.post(f"{old.url}/hold", {"reason": "  "}, follow=True))
    assert "Write the reason first" in said
    page = text_of(anna.post(f"{old.url}/hold", {"reason": "Dispute with the insurer"}, follow=True))
    assert "Legal hold: this case is not removed." in page
    assert "Dispute with the insurer" in page
    assert "Dispute with the insurer" not in text_of(vera.get(old.url))
    assert "nothing would be removed today" in text_of(anna.get("/data/", {"days": "365"}))
    anna.post(f"{old.url}/release")
    assert "1 case (" in text_of(anna.get("/data/", {"days": "365"}))
    assert "no hold on it any more" in text_of(anna.post(f"{old.url}/release", follow=True))


def test_a_second_hold_on_the_same_thing_is_told(cast, client_of, old):
    anna = client_of(cast.anna)
    for said in ("Legal hold set", "There is a hold on it already"):
        assert said in text_of(anna.post("/data/hold", {"reason": "Audit"}, follow=True))
    assert "A legal hold is on all cases" in text_of(anna.get("/data/"))
    assert "A legal hold is on all cases" not in text_of(anna.post("/data/release", follow=True))


def test_a_patients_data_comes_whole_in_one_zip(cast, client_of, case):
    anna = client_of(cast.anna)
    assert "Sørensen" in text_of(anna.post("/data/patient", {"q": "ingrid sør"}))
    answer = anna.post("/data/patient/export", {"order": [str(case.order.pk)]})
    assert answer["Cache-Control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(body(answer))) as archive:
        assert archive.testzip() is None
        folder = "case 1 - 114582239"
        facts = json.loads(archive.read(f"{folder}/case.json"))
        assert archive.read(f"{folder}/scan 1.zip") == case.zip
        assert "events" in json.loads(archive.read(f"{folder}/history.json"))
    assert facts["patient"] == {"first": "Ingrid", "last": "Sørensen", "chart_number": facts["patient"]["chart_number"]}
    assert "patient_data.zip" in answer["Content-Disposition"]


def test_an_export_that_would_hold_a_damaged_scan_is_not_made_and_says_so(cast, client_of, case):
    rot(case.revision)
    anna = client_of(cast.anna)
    answer = anna.post("/data/patient/export", {"order": [str(case.order.pk)]})
    assert answer.status_code == 302
    assert "A stored scan was damaged, so the export would not be whole" in text_of(anna.get("/data/"))
    with in_lab(cast.lab_a.pk):
        assert Revision.objects.of(cast.lab_a).get(pk=case.revision.pk).reason == "damaged"


def test_the_exports_body_streams_without_the_database(cast, client_of, case):
    answer = client_of(cast.anna).post("/data/patient/export", {"order": [str(case.order.pk)]})

    def refuse(*args, **kwargs):
        raise AssertionError("the body asked the database")

    with connection.execute_wrapper(refuse):
        assert len(body(answer)) == int(answer["Content-Length"])


def test_nothing_is_removed_without_the_word(cast, client_of, case):
    anna = client_of(cast.anna)
    form = {"order": [str(case.order.pk)]}
    assert "Type REMOVE to confirm" in text_of(anna.post("/data/patient/remove", form))
    assert "Nothing was removed." in text_of(anna.post("/data/patient/remove", form | {"word": "remove it"}))
    assert removed(cast.lab_a) == []


@pytest.mark.parametrize("act", ["export", "remove"])
def test_who_chose_no_case_finds_the_cases_that_were_found_again(cast, client_of, case, act):
    page = text_of(client_of(cast.anna).post(f"/data/patient/{act}", {"q": "Sørensen"}))
    assert "Choose at least one case." in page
    assert "Sørensen, Ingrid" in page


def test_a_patients_cases_are_removed_and_their_page_says_so(cast, client_of, case, scans_dir: Path):
    anna = client_of(cast.anna)
    answer = anna.post("/data/patient/remove", {"order": [str(case.order.pk)], "word": "REMOVE"}, follow=True)
    assert "1 case is removed." in text_of(answer)
    assert [path for path in scans_dir.rglob("*") if path.is_file()] == []
    gone = client_of(cast.vera).get(case.url)
    assert gone.status_code == 410
    assert "Case 114582239 is no longer here" in text_of(gone)
    assert "Sørensen" not in gone.content.decode()
    assert client_of(cast.vera).get(case.zip_url).status_code == 404
    assert client_of(cast.bruno).get(case.url).status_code == 404
    assert "No case fits" in text_of(anna.post("/data/patient", {"q": "Sørensen"}))


def test_a_held_case_is_left_and_that_is_said(cast, client_of, case):
    anna = client_of(cast.anna)
    anna.post(f"{case.url}/hold", {"reason": "Dispute"})
    answer = anna.post("/data/patient/remove", {"order": [str(case.order.pk)], "word": "REMOVE"}, follow=True)
    assert "Not removed: 1 under a legal hold." in text_of(answer)
    assert removed(cast.lab_a) == []


def test_another_labs_case_among_the_chosen_stays_and_is_not_told(cast, client_of, case, scans_dir):
    foreign = stored(cast.lab_b, make_order(cast.lab_b, make_pairing(cast.lab_b)), scans_dir, read=False).order
    anna = client_of(cast.anna)
    for path in ("export", "remove"):
        answer = anna.post(f"/data/patient/{path}", {"order": [str(foreign.pk)], "word": "REMOVE"}, follow=True)
        assert "Choose at least one case." in text_of(answer)
    both = {"order": [str(case.order.pk), str(foreign.pk)], "word": "REMOVE"}
    assert "1 case is removed." in text_of(anna.post("/data/patient/remove", both, follow=True))
    assert removed(cast.lab_b) == []
    assert "No case fits" in text_of(client_of(cast.bruno).post("/data/patient", {"q": "114582239"}))
