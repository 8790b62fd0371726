"""What the case page says above a case: what cannot be shown, an older scan, what was held back; ticket and mark."""

import io
import re
import zipfile

import pytest

from connector.orders.models import RevisionState, ScanFile
from connector.scans.examination_record import PROBLEM_WORDS
from labportal.labs.tenancy import in_lab
from tests.orders.make import make_order
from tests.orders.pages import open_case, set_revision, text_of
from tests.orders.stored import put_in_store, read_in_store, stored

pytestmark = pytest.mark.django_db


def test_a_jaw_that_cannot_be_read_is_said_above_the_view_that_lacks_it(cast, client_of, pairing, scans_dir):
    case = stored(cast.lab_a, make_order(cast.lab_a, pairing), scans_dir)
    assert open_case(client_of(cast.vera), case.order).context["unreadable"] == []
    with in_lab(cast.lab_a.pk):
        files = ScanFile.objects.of(cast.lab_a).filter(revision=case.revision)
        files.filter(role="upper").update(problem="mesh_truncated", preview="")
        files.filter(role="thumbnail").update(problem="picture_unreadable")  # it is no scan
    answer = open_case(client_of(cast.vera), case.order)
    assert answer.context["unreadable"] == [f"Upper jaw: {PROBLEM_WORDS['mesh_truncated']}"]
    assert "Part of this scan cannot be shown" in text_of(answer)


def test_an_older_scan_says_that_it_is_one_and_leads_to_the_newest(cast, client_of, pairing, scans_dir):
    case = stored(cast.lab_a, make_order(cast.lab_a, pairing, revisions=2), scans_dir)
    vera = client_of(cast.vera)
    coming = text_of(open_case(vera, case.order))
    assert "You are looking at an older scan: First scan" in coming
    assert "is not here yet" in coming
    set_revision(case.order, 2, state=RevisionState.READY)
    older = open_case(vera, case.order, revision=1)
    assert older.context["older"]["url"] == case.url
    assert "Download first scan" in text_of(older)
    newest = text_of(open_case(vera, case.order))
    assert "older scan" not in newest
    assert "Download first" not in newest


def test_the_work_ticket_names_its_scan_whole_dates_and_leads_back(cast, client_of, pairing, scans_dir, settings):
    case = stored(cast.lab_a, make_order(cast.lab_a, pairing), scans_dir)
    ticket = open_case(client_of(cast.vera), case.order).context["ticket"]
    assert ticket["scan"] == "First scan"
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]{2} 20\d\d, \d\d:\d\d", ticket["came"])
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]{2} 20\d\d, \d\d:\d\d", ticket["printed"])
    code = ticket["code"]
    assert code["path"].count("M") > code["side"] ** 2 / 3
    other = open_case(client_of(cast.vera), make_order(cast.lab_a, pairing)).context["ticket"]["code"]
    assert other != code


@pytest.mark.parametrize(
    ("reason", "title"),
    [
        ("truncated", "This scan did not arrive whole, and was held back"),
        ("encrypted", "This scan's zip is locked with a password, and was held back"),
        ("ratio", "The scan's zip is not safe to open and was held back"),
    ],
)
def test_what_is_held_back_is_called_what_it_is(cast, client_of, pairing, reason, title):
    order = make_order(cast.lab_a, pairing)
    set_revision(order, state=RevisionState.QUARANTINED, reason=reason)
    problem = open_case(client_of(cast.theo), order).context["problem"]
    assert problem["title"] == title
    assert "Press “Try again”. If it stays so, ask the practice" in problem["text"]
    seen = open_case(client_of(cast.vera), order).context["problem"]["text"]
    assert "A technician or owner can press “Try again”" in seen


def test_an_open_page_learns_that_something_has_changed_without_showing_a_patient(cast, client_of, pairing):
    vera, order = client_of(cast.vera), make_order(cast.lab_a, pairing)
    page = open_case(vera, order)
    answer = vera.get(page.context["urls"]["mark"])
    mark = answer.content.decode()
    assert page.context["mark"] == mark
    assert f'data-mark="{mark}" data-url="/cases/{order.pk}/mark"' in page.content.decode()
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("text/plain; charset=utf-8", "no-store")
    assert order.patient not in mark
    marks = [mark]
    for change in ({"state": RevisionState.RETRY, "reason": "timeout"}, {"reason": "disk"}, {"state": "ready"}):
        set_revision(order, 1, **change)
        marks.append(vera.get(page.context["urls"]["mark"]).content.decode())
    client_of(cast.theo).post(f"/cases/{order.pk}/workflow", {"workflow": "done"})
    marks.append(vera.get(page.context["urls"]["mark"]).content.decode())
    assert len(set(marks)) == 5
    assert open_case(vera, order).context["mark"] == marks[-1]


def test_a_scan_in_a_folder_of_the_zip_that_cannot_be_read_is_said_too(cast, client_of, pairing, scans_dir):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("114582239/1_upper_jaw.ply", b"ply\nformat binary_little_endian 1.0\nelement vertex 9\n")
    order = make_order(cast.lab_a, pairing)
    read_in_store(cast.lab_a, put_in_store(cast.lab_a, order, scans_dir, content.getvalue()).pk)
    assert len(open_case(client_of(cast.vera), order).context["unreadable"]) == 1
