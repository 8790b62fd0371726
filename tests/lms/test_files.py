"""Taking the files: exactly the stored bytes, also over a line that breaks."""

import hashlib

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connector.lms.schemas import WholeOrder
from connector.orders.models import Restoration, Revision, RevisionState, ScanFile, TimelineEvent
from labportal.labs.tenancy import in_lab
from tests.lms.stored import stored_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast, scans_dir):
    return stored_case(cast.lab_a, scans_dir)


def body(answer):
    return b"".join(answer.streaming_content)


def exports(case):
    with in_lab(case.order.lab_id):
        return list(TimelineEvent.objects.of(case.order.lab_id).filter(kind="exported").values_list("facts", flat=True))


def test_the_zip_comes_byte_for_byte(case, lms_a):
    answer = lms_a(case.zip_url)
    assert answer.status_code == 200
    assert body(answer) == case.zip
    assert answer["Content-Length"] == str(len(case.zip))
    assert answer["ETag"] == f'"{hashlib.sha256(case.zip).hexdigest()}"'
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Content-Type"] == "application/zip"


def test_the_order_names_the_zip_with_its_size_and_checksum(case, lms_a):
    (revision,) = lms_a(case.url).json()["revisions"]
    path = revision["content_url"].removeprefix("http://localhost:8000")
    content = body(lms_a(path))
    assert (revision["size"], revision["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


def test_every_file_comes_as_it_lies_in_the_zip(case, lms_a):
    (revision,) = lms_a(case.url).json()["revisions"]
    assert [file["name"] for file in revision["files"]] == list(case.members)
    for file in revision["files"]:
        answer = lms_a(file["content_url"].removeprefix("http://localhost:8000"))
        assert body(answer) == case.members[file["name"]]
        assert answer["Content-Length"] == str(file["size"])
        assert answer["ETag"] == f'"{file["sha256"]}"'


def test_an_order_with_files_has_the_shape_that_the_document_says(cast, case, lms_a):
    with in_lab(cast.lab_a.pk):
        Restoration.objects.create(lab=cast.lab_a, order=case.order, tooth=3, treatment="Crown", details={"die": "Yes"})
        Restoration.objects.create(lab=cast.lab_a, order=case.order, tooth=None, treatment="Tray")
    answer = lms_a(case.url).json()
    assert WholeOrder.model_validate(answer).model_dump(mode="json") == answer
    assert [(item["tooth"], item["tooth_fdi"]) for item in answer["restorations"]] == [(3, 16), (None, None)]


def test_a_broken_download_goes_on_to_the_same_checksum(case, lms_a):
    half = len(case.zip) // 2
    first = lms_a(case.zip_url)
    begun, etag = body(first)[:half], first["ETag"]
    rest = lms_a(case.zip_url, headers={"Range": f"bytes={half}-", "If-Range": etag})
    assert rest.status_code == 206
    assert rest["Content-Range"] == f"bytes {half}-{len(case.zip) - 1}/{len(case.zip)}"
    assert rest["Content-Length"] == str(len(case.zip) - half)
    assert hashlib.sha256(begun + body(rest)).hexdigest() == case.revision.sha256


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-0", 0, 0), ("bytes=10-19", 10, 19), ("bytes=-5", -5, -1), ("BYTES=7-", 7, -1)],
)
def test_any_one_range_comes_exactly(case, lms_a, asked, first, last):
    answer = lms_a(case.zip_url, headers={"Range": asked})
    size = len(case.zip)
    start, end = first % size, last % size
    assert answer.status_code == 206
    assert body(answer) == case.zip[start : end + 1]
    assert answer["Content-Range"] == f"bytes {start}-{end}/{size}"


def test_a_range_that_ends_beyond_the_file_ends_with_it(case, lms_a):
    answer = lms_a(case.zip_url, headers={"Range": f"bytes=5-{10**12}"})
    assert body(answer) == case.zip[5:]


@pytest.mark.parametrize("asked", ["lines=1-2", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,4-5", "bytes=a-b"])
def test_what_is_no_range_gets_the_whole_zip(case, lms_a, asked):
    answer = lms_a(case.zip_url, headers={"Range": asked})
    assert answer.status_code == 200
    assert body(answer) == case.zip


def test_a_range_of_a_zip_that_was_another_gets_the_whole_zip(case, lms_a):
    answer = lms_a(case.zip_url, headers={"Range": "bytes=5-", "If-Range": '"another"'})
    assert answer.status_code == 200
    assert body(answer) == case.zip


@pytest.mark.parametrize("asked", ["bytes={size}-", "bytes={beyond}-{beyond}", "bytes=-0"])
def test_a_range_outside_the_zip_is_refused(case, lms_a, asked):
    size = len(case.zip)
    answer = lms_a(case.zip_url, headers={"Range": asked.format(size=size, beyond=size + 7)})
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{size}"
    assert answer["Content-Type"] == "application/problem+json"


def test_the_timeline_says_once_that_the_zip_was_taken(case, lms_a):
    body(lms_a(case.zip_url))
    body(lms_a(case.zip_url, headers={"Range": "bytes=100-"}))
    assert [facts["what"] for facts in exports(case)] == ["zip"]


def test_the_timeline_says_once_that_the_files_were_taken(case, lms_a):
    for file in lms_a(case.url).json()["revisions"][0]["files"]:
        body(lms_a(file["content_url"].removeprefix("http://localhost:8000")))
    assert [facts["what"] for facts in exports(case)] == ["files"]


def test_reading_the_order_puts_nothing_on_the_timeline(case, lms_a):
    lms_a(case.url)
    lms_a("/api/v1/orders")
    assert exports(case) == []


def test_taking_a_zip_is_no_change_of_the_order(case, lms_a):
    kept = lms_a("/api/v1/orders").json()["cursor"]
    body(lms_a(case.zip_url))
    assert lms_a(f"/api/v1/orders?cursor={kept}").json()["items"] == []


def test_the_body_that_streams_touches_no_database(case, lms_a):
    file = lms_a(case.url).json()["revisions"][0]["files"][0]
    answers = [lms_a(case.zip_url), lms_a(file["content_url"].removeprefix("http://localhost:8000"))]
    with CaptureQueriesContext(connection) as caught:
        for answer in answers:
            body(answer)
    assert len(caught) == 0


def test_a_revision_that_is_still_coming_has_no_zip_to_take(cast, case, lms_a):
    with in_lab(cast.lab_a.pk):
        Revision.objects.of(cast.lab_a).filter(pk=case.revision.pk).update(state=RevisionState.FETCHING)
    (revision,) = lms_a(case.url).json()["revisions"]
    assert (revision["content_url"], revision["sha256"], revision["files"]) == (None, None, [])
    assert lms_a(case.zip_url).status_code == 404


def test_another_labs_files_are_not_there(case, lms_a, lms_b):
    file = lms_a(case.url).json()["revisions"][0]["files"][0]
    for path in (case.url, case.zip_url, file["content_url"].removeprefix("http://localhost:8000")):
        assert lms_b(path).status_code == 404
    assert exports(case) == []


def test_an_order_with_many_files_takes_as_many_queries_as_one_with_few(cast, case, lms_a):
    lms_a(case.url)

    def queries():
        with CaptureQueriesContext(connection) as caught:
            lms_a(case.url)
        return len(caught)

    few = queries()
    with in_lab(cast.lab_a.pk):
        ScanFile.objects.bulk_create(
            ScanFile(lab=cast.lab_a, revision=case.revision, member=100 + n, name="x", role="other", size=1, sha256="x")
            for n in range(40)
        )
        Restoration.objects.bulk_create(Restoration(lab=cast.lab_a, order=case.order, tooth=n) for n in range(1, 33))
    assert queries() == few
