"""The case page: what the doctor ordered, what came, what happened, and what a person can do now."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connector.orders.case_scans import file_facts, model_facts
from connector.orders.history import record
from connector.orders.models import Order, Restoration, Revision, RevisionState, ScanFile
from labportal.labs.tenancy import in_lab
from tests.orders.make import make_order, make_pairing
from tests.orders.pages import open_case, set_revision, text_of
from tests.orders.stored import stored

pytestmark = pytest.mark.django_db

FDI_UPPER = [str(tooth) for tooth in (*range(18, 10, -1), *range(21, 29))]
FDI_LOWER = [str(tooth) for tooth in (*range(48, 40, -1), *range(31, 39))]
QUIET = [RevisionState.SEEN, RevisionState.FETCHING, RevisionState.STORED, RevisionState.READY]


def add_tooth(order, tooth, **facts):
    with in_lab(order.lab_id):
        Restoration.objects.create(lab_id=order.lab_id, order=order, tooth=tooth, **facts)


def test_the_prescription_names_teeth_treatment_material_and_shade(cast, client_of, pairing):
    order = make_order(cast.lab_a, pairing, teeth=[3], notes="Please match the neighbour.")
    add_tooth(order, 3, treatment="Crown", material="Zirconia", incisal="A1", body="A2", gingival="A3")
    answer = open_case(client_of(cast.vera), order)
    assert answer.context["restorations"] == [
        {"tooth": "16", "treatment": "Crown", "material": "Zirconia", "shade": "A1 / A2 / A3"}
    ]
    assert "Please match the neighbour." in text_of(answer)


def test_the_tooth_chart_counts_in_fdi_for_one_lab_and_in_universal_numbers_for_the_other(cast, client_of, pairing):
    ours = make_order(cast.lab_a, pairing, teeth=[1, 32])
    theirs = make_order(cast.lab_b, make_pairing(cast.lab_b), teeth=[1, 32])
    fdi = open_case(client_of(cast.anna), ours).context["tooth_chart"]
    universal = open_case(client_of(cast.bruno), theirs).context["tooth_chart"]
    assert (fdi["notation"], universal["notation"]) == ("FDI", "Universal")
    assert [tooth["label"] for tooth in fdi["upper"]] == FDI_UPPER
    assert [tooth["label"] for tooth in fdi["lower"]] == FDI_LOWER
    assert [tooth["label"] for tooth in universal["upper"]] == [str(n) for n in range(1, 17)]
    assert [tooth["label"] for tooth in universal["lower"]] == [str(n) for n in range(32, 16, -1)]
    assert [t["label"] for row in ("upper", "lower") for t in fdi[row] if t["state"] == "treated"] == ["18", "48"]


def test_the_files_have_their_sizes_hashes_and_words(cast, client_of, pairing, scans_dir):
    case = stored(cast.lab_a, make_order(cast.lab_a, pairing), scans_dir)
    answer = open_case(client_of(cast.vera), case.order)
    files = answer.context["files"]
    with in_lab(cast.lab_a.pk):
        hashes = set(ScanFile.objects.of(cast.lab_a).filter(revision=case.revision).values_list("sha256", flat=True))
    assert len(files) == len(case.members)
    assert {file["sha256"] for file in files} == hashes
    assert {"Upper jaw", "Lower jaw"} <= {file["role"] for file in files}
    assert case.revision.sha256 in text_of(answer)
    assert answer.context["urls"]["download"] == case.zip_url


def test_the_list_of_files_names_a_stump_as_the_3d_view_does(cast, client_of, pairing, scans_dir):
    case = stored(cast.lab_a, make_order(cast.lab_a, pairing), scans_dir)
    with in_lab(cast.lab_a.pk):
        upper = ScanFile.objects.of(cast.lab_a).filter(revision=case.revision, role="upper")
        upper.update(role="other", name="1_lower_tooth_28_with_ditch.ply")
    files = open_case(client_of(cast.vera), case.order).context["files"]
    assert "Stump 44" in {file["role"] for file in files}


def test_the_3d_view_gets_models_of_both_jaws_that_can_be_fetched(cast, client_of, pairing, scans_dir):
    case = stored(cast.lab_a, make_order(cast.lab_a, pairing), scans_dir)
    vera = client_of(cast.vera)
    models = open_case(vera, case.order).context["models"]
    assert {"upper", "lower"} <= {model["role"] for model in models}
    for model in models:
        answer = vera.get(model["url"])
        assert answer.status_code == 200
        assert b"".join(answer.streaming_content).startswith(b"ply")


def test_a_case_without_files_says_so(cast, client_of, pairing):
    page = text_of(open_case(client_of(cast.vera), make_order(cast.lab_a, pairing)))
    assert "The scan files are not here yet." in page
    assert "No files are here yet." in page


def test_the_timeline_tells_what_happened_and_who_did_it(cast, client_of, pairing):
    order = make_order(cast.lab_a, pairing)
    with in_lab(cast.lab_a.pk):
        record(order, "seen", status="Ready for Download")
        record(order, "workflow", by=cast.theo, workflow="In work")
    page = text_of(open_case(client_of(cast.vera), order))
    assert "Align lists this case: Ready for Download" in page
    assert "Marked “In work” Theo" in page
    assert "Viewed Vera" in page


def test_opening_a_case_twice_is_told_once(cast, client_of, pairing):
    order, vera = make_order(cast.lab_a, pairing), client_of(cast.vera)
    open_case(vera, order)
    events = open_case(vera, order).context["timeline"]
    assert [event["text"] for event in events] == ["Viewed"]


def test_a_re_scan_says_what_changed(cast, client_of, pairing):
    order = make_order(cast.lab_a, pairing, revisions=2)
    set_revision(order, 1, state=RevisionState.READY, vendor_status="In Review", rx={"notes": "a", "due_date": "1"})
    set_revision(order, 2, state=RevisionState.READY, vendor_status="Ready", rx={"notes": "b", "due_date": "1"})
    with in_lab(cast.lab_a.pk):
        first, second = Revision.objects.of(cast.lab_a).filter(order=order).order_by("number")
        for revision, role, sha256 in (
            (first, "upper", "a" * 64), (second, "upper", "b" * 64),
            (first, "lower", "c" * 64), (second, "lower", "c" * 64), (first, "both", "d" * 64),
        ):  # fmt: skip
            ScanFile.objects.create(
                lab=cast.lab_a, revision=revision, member=ord(role[0]), name=role, role=role, size=1, sha256=sha256
            )
    newest, oldest = open_case(client_of(cast.vera), order).context["revisions"]
    assert newest["changed"] == [
        "Status: In Review → Ready", "Upper jaw: changed", "Lower jaw: identical", "Both jaws: no longer there",
        "Notes changed",
    ]  # fmt: skip
    assert oldest["changed"] == []


def test_an_older_revision_is_shown_when_asked_for(cast, client_of, pairing, scans_dir):
    order = make_order(cast.lab_a, pairing, revisions=2)
    stored(cast.lab_a, order, scans_dir)
    set_revision(order, 2, state=RevisionState.READY)
    vera = client_of(cast.vera)
    assert shown(open_case(vera, order)) == 2
    old = open_case(vera, order, revision="1")
    assert shown(old) == 1
    assert old.context["files"]
    assert old.context["urls"]["download"].endswith("/revisions/1/zip")


def shown(answer):
    return next(r["number"] for r in answer.context["revisions"] if r["shown"])


@pytest.mark.parametrize("number", ["0", "9", "999999", "99999999999999", "-1", "abc", "²", "", "1.0"])
def test_a_revision_that_there_is_not_shows_the_latest_with_files(cast, client_of, pairing, scans_dir, number):
    order = make_order(cast.lab_a, pairing, revisions=3)
    set_revision(order, 2, state=RevisionState.READY)
    answer = open_case(client_of(cast.vera), order, revision=number)
    assert answer.status_code == 200
    assert shown(answer) == 2


TROUBLE = [
    (RevisionState.RETRY, "timeout", "This scan is not here yet", "Align did not answer in time", True),
    (RevisionState.RETRY, "disk_low", "This scan is not here yet", "disk is nearly full", True),
    (RevisionState.QUARANTINED, "zip_bomb", "held back", "", True),
    (RevisionState.DEAD, "conflict", "could not be fetched", "in the case's present status", True),
    (
        RevisionState.SUPERSEDED,
        "superseded",
        "replaced at Align before it was fetched",
        "newer scan of this case",
        False,
    ),
    (RevisionState.GONE, "gone", "no longer gives out", "Ask the practice", False),
    (RevisionState.READY, "timeout", "not all of it could be read", "can be downloaded as it came", False),
    (RevisionState.DEAD, "brand_new_code", "could not be fetched", "code brand_new_code", True),
]


@pytest.mark.parametrize(("state", "reason", "title", "words", "again"), TROUBLE)
def test_trouble_is_said_with_the_button_that_helps(cast, client_of, pairing, state, reason, title, words, again):
    order = make_order(cast.lab_a, pairing)
    set_revision(order, state=state, reason=reason)
    answer = open_case(client_of(cast.theo), order)
    page = text_of(answer)
    assert title in page
    assert words in page
    assert (f'action="/cases/{order.pk}/try-again"' in answer.content.decode()) is again


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        (RevisionState.SUPERSEDED, "superseded", "First scan: This scan was replaced at Align before it was fetched"),
        (RevisionState.GONE, "gone", "First scan: Align no longer gives out this scan Align no longer gave out these"),
        (RevisionState.QUARANTINED, "damaged", "it can come back from a backup"),
    ],
)
def test_an_older_scan_without_files_says_why_when_it_is_looked_at(cast, client_of, pairing, state, reason, words):
    order, theo = make_order(cast.lab_a, pairing, revisions=2), client_of(cast.theo)
    set_revision(order, 1, state=state, reason=reason)
    set_revision(order, 2, state=RevisionState.READY)
    answer = open_case(theo, order, revision="1")
    assert words in text_of(answer)
    assert "try-again" not in answer.content.decode()
    assert words not in text_of(open_case(theo, order))


@pytest.mark.parametrize(
    "state", [RevisionState.SEEN, RevisionState.FETCHING, RevisionState.STORED, RevisionState.READY]
)
def test_a_case_without_trouble_has_no_banner(cast, client_of, pairing, state):
    order = make_order(cast.lab_a, pairing)
    set_revision(order, state=state)
    assert open_case(client_of(cast.theo), order).context["problem"] is None


def test_trying_again_makes_a_stopped_scan_due_and_takes_the_problem_away(cast, client_of, pairing):
    order = make_order(cast.lab_a, pairing, problem="conflict")
    set_revision(order, state=RevisionState.DEAD, reason="conflict", attempts=9)
    answer = client_of(cast.theo).post(f"/cases/{order.pk}/try-again")
    assert answer.url == f"/cases/{order.pk}"
    order.refresh_from_db()
    with in_lab(cast.lab_a.pk):
        revision = Revision.objects.of(cast.lab_a).get(order=order)
    assert (revision.state, revision.attempts) == (RevisionState.RETRY, 0)


def test_a_case_that_waits_at_align_can_be_asked_for(cast, client_of, pairing):
    order = make_order(cast.lab_a, pairing)
    set_revision(order, state=RevisionState.ASKED_LATER)
    theo = client_of(cast.theo)
    assert "Get all scan files" in text_of(open_case(theo, order))
    theo.post(f"/cases/{order.pk}/get-all")
    page = text_of(open_case(theo, order))
    assert "Get all scan files" not in page
    assert "All scan files asked for" in page


def test_the_workflow_moves_by_a_button_and_an_unknown_word_moves_nothing(cast, client_of, pairing):
    order, theo = make_order(cast.lab_a, pairing), client_of(cast.theo)
    theo.post(f"/cases/{order.pk}/workflow", {"workflow": "in_work"})
    theo.post(f"/cases/{order.pk}/workflow", {"workflow": "eaten"})
    assert open_case(theo, order).context["case"]["workflow"] == "in_work"


def test_a_viewer_sees_no_button_that_changes_anything(cast, client_of, pairing):
    order = make_order(cast.lab_a, pairing)
    set_revision(order, state=RevisionState.DEAD, reason="conflict")
    page = open_case(client_of(cast.vera), order).content.decode()
    for address in ("workflow", "try-again", "get-all", "return"):
        assert f"/cases/{order.pk}/{address}" not in page
    assert "could not be fetched" in page  # but is told


@pytest.mark.parametrize("address", ["workflow", "try-again", "get-all", "return"])
def test_a_viewer_who_sends_it_anyway_is_refused(cast, client_of, pairing, address):
    order = make_order(cast.lab_a, pairing)
    assert client_of(cast.vera).post(f"/cases/{order.pk}/{address}").status_code == 403


def test_a_waiting_case_cannot_be_returned_again(cast, client_of, pairing):
    order = make_order(cast.lab_a, pairing, waiting_since=timezone.now())
    assert f"/cases/{order.pk}/return" not in open_case(client_of(cast.theo), order).content.decode()


def test_the_page_of_a_case_takes_as_few_queries_for_ten_revisions_as_for_one(cast, client_of, pairing):
    vera, counts = client_of(cast.vera), []
    for revisions in (1, 10):
        order = make_order(cast.lab_a, pairing, revisions=revisions)
        open_case(vera, order)
        with CaptureQueriesContext(connection) as asked:
            open_case(vera, order)
        counts.append(len(asked))
    assert counts[1] <= counts[0] + 2  # what only a case with earlier revisions shows
    assert counts[1] <= 28


@pytest.mark.parametrize(("notation", "label"), [("fdi", "Stump 44"), ("universal", "Stump 28")])
def test_a_stump_is_named_by_its_tooth_in_the_labs_notation(notation, label):
    file = ScanFile(role="other", name="iTero_Export_1/1_lower_tooth_28_with_ditch.ply", preview="x", size=1)
    assert model_facts(Order(), file, notation)["label"] == label
    assert file_facts(Order(), file, notation)["role"] == label
