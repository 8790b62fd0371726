"""A lab's own system gets no byte of a damaged zip, and is told so by a stable code and in words."""

import pytest

from connector.orders.models import Revision, RevisionState, ScanFile
from labportal.labs.tenancy import in_lab
from tests.lms.stored import stored_case
from tests.orders.stored import rot

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast, scans_dir):
    return stored_case(cast.lab_a, scans_dir)


def addresses(case):
    with in_lab(case.order.lab_id):
        files = ScanFile.objects.of(case.order.lab_id).filter(revision=case.revision).order_by("-size")
        file = files[0]
    return file, {"zip": case.zip_url, "file": f"{case.url}/files/{file.pk}"}


@pytest.mark.parametrize("asked", ["", "bytes=0-", "bytes=100-", "bytes=-50"])
@pytest.mark.parametrize("kind", ["zip", "file"])
@pytest.mark.parametrize("opened_before", [True, False], ids=["opened before", "never opened"])
def test_no_byte_of_a_damaged_zip_leaves(cast, lms_a, case, kind, asked, opened_before):
    file, address = addresses(case)
    if opened_before:
        assert b"".join(lms_a(case.zip_url)) == case.zip
    rot(case.revision, member=file.member)
    answer = lms_a(address[kind], headers={"Range": asked} if asked else {})
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Retry-After"] == "300"
    assert answer.json()["code"] == "file_damaged"
    assert "fetched from Align again" in answer.json()["detail"]
    with in_lab(cast.lab_a.pk):
        row = Revision.objects.of(cast.lab_a).get(pk=case.revision.pk)
    assert (row.state, row.reason) == (RevisionState.RETRY, "damaged")


def test_a_file_that_is_gone_is_told_as_before(lms_a, case, scans_dir):
    (scans_dir / case.revision.archive).unlink()
    answer = lms_a(case.zip_url)
    assert (answer.status_code, answer.json()["code"]) == (503, "file_missing")


def test_a_file_that_the_disk_does_not_give_back_may_be_asked_for_again(lms_a, case, scans_dir):
    path = scans_dir / case.revision.archive
    path.unlink()
    path.mkdir()  # opens, and can't be read
    answer = lms_a(case.zip_url)
    assert (answer.status_code, answer.json()["code"]) == (503, "file_unreadable")
    assert answer["Retry-After"] == "300"
