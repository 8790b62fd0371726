"""One bit of a stored zip flips, and the file's times tell nothing: no door hands out a byte of it, each says so."""

import io
import json
import zipfile

import pytest

from connector.orders import soundness
from connector.orders.models import Order, Revision, RevisionState, TimelineEvent
from connector.orders.soundness import PieceChanged
from labportal.audit.models import Entry
from labportal.labs.tenancy import in_lab
from tests.orders.make import make_order
from tests.orders.pages import text_of
from tests.orders.stored import rot, stored
from tests.orders.taking import address, body, files_of, taken

pytestmark = pytest.mark.django_db

REST = {"Range": "bytes=100-"}
DOORS = {
    "the zip": lambda vera, case: vera.get(case.zip_url),
    "its beginning": lambda vera, case: vera.get(case.zip_url, headers={"Range": "bytes=0-"}),
    "the rest of it": lambda vera, case: vera.get(case.zip_url, headers=REST),
    "its head": lambda vera, case: vera.head(case.zip_url),
    "a file": lambda vera, case: vera.get(address(case, largest(case))),
    "the rest of a file": lambda vera, case: vera.get(address(case, largest(case)), headers=REST),
}


def largest(case):
    return max(files_of(case), key=lambda file: file.size)


def now(case):
    with in_lab(case.order.lab_id):
        return Revision.objects.of(case.order.lab_id).get(pk=case.revision.pk)


@pytest.mark.parametrize("opened_before", [True, False], ids=["opened before", "never opened"])
@pytest.mark.parametrize("door", DOORS)
def test_no_door_hands_out_a_byte_of_a_damaged_zip(cast, client_of, case, door, opened_before):
    vera = client_of(cast.vera)
    if opened_before:
        assert body(vera.get(case.zip_url)) == case.zip
    before = taken(case)
    rot(case.revision, member=largest(case).member)
    answer = DOORS[door](vera, case)
    assert answer.status_code == 503
    assert not answer.streaming
    assert "ETag" not in answer.headers
    if door != "its head":
        assert "The stored file of this scan was damaged" in text_of(answer)
        assert "fetches the scan from Align again by itself" in text_of(answer)
    assert taken(case) == before
    row = now(case)
    assert (row.state, row.reason) == (RevisionState.RETRY, "damaged")
    assert row.next_due is not None


def test_a_damaged_zip_is_told_on_the_timeline_and_in_the_audit_as_the_portals_own_find(cast, client_of, case):
    rot(case.revision)
    client_of(cast.vera).get(case.zip_url)
    with in_lab(cast.lab_a.pk):
        assert TimelineEvent.objects.of(cast.lab_a).filter(order=case.order, kind="damaged").count() == 1
        entry = Entry.objects.get(chain=cast.lab_a.pk, action="case.repaired")
        asked = Entry.objects.get(chain=cast.lab_a.pk, action="case.file_damaged")
    assert (entry.actor_kind, json.loads(entry.facts)["problem"]) == ("system", "changed")
    assert (asked.actor_id, asked.object_id) == (cast.vera.pk, str(case.order.pk)), "the page names the patient"


def test_an_older_scan_is_held_back_in_words(cast, client_of, pairing, scans_dir):
    case = stored(cast.lab_a, make_order(cast.lab_a, pairing, revisions=2), scans_dir, read=False)
    rot(case.revision)
    answer = client_of(cast.vera).get(case.zip_url)
    assert answer.status_code == 503
    assert "this older one is held back" in text_of(answer)
    assert (now(case).state, now(case).reason) == (RevisionState.QUARANTINED, "damaged")


def test_of_several_the_damaged_one_is_left_out_and_said(cast, client_of, case, pairing, scans_dir):
    other = stored(cast.lab_a, make_order(cast.lab_a, pairing), scans_dir, read=False)
    rot(case.revision)
    vera = client_of(cast.vera)
    answer = vera.post("/cases/download", {"order": [str(case.order.pk), str(other.order.pk)]})
    assert body(answer) == other.zip
    assert "1 selected case is not in the download: the stored file was damaged" in text_of(vera.get("/"))
    assert now(case).state == RevisionState.RETRY
    alone = vera.post("/cases/download", {"order": [str(other.order.pk)]})
    assert body(alone) == other.zip
    rot(other.revision)
    nothing = vera.post("/cases/download", {"order": [str(other.order.pk)]})
    assert nothing.status_code == 302
    assert "1 selected case is not in the download: the stored file was damaged" in text_of(vera.get("/"))


def test_several_sound_ones_come_whole(cast, client_of, case, pairing, scans_dir):
    other = stored(cast.lab_a, make_order(cast.lab_a, pairing, "300"), scans_dir, read=False)
    answer = client_of(cast.vera).post("/cases/download", {"order": [str(case.order.pk), str(other.order.pk)]})
    with zipfile.ZipFile(io.BytesIO(body(answer))) as archive:
        assert {archive.read(name) for name in archive.namelist()} == {case.zip}


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(soundness, "PIECE", 1000)


def test_a_range_is_proved_by_its_own_pieces_alone(cast, client_of, case, small_pieces):
    vera = client_of(cast.vera)
    assert body(vera.get(case.zip_url)) == case.zip
    rot(case.revision, at=5500)
    for first, last in [(0, 4999), (4001, 4998), (6000, len(case.zip) - 1)]:
        sound = vera.get(case.zip_url, headers={"Range": f"bytes={first}-{last}"})
        assert (sound.status_code, body(sound)) == (206, case.zip[first : last + 1])
    assert now(case).has_files
    touched = vera.get(case.zip_url, headers={"Range": "bytes=4990-5010"})
    assert touched.status_code == 503
    assert now(case).state == RevisionState.RETRY


def collect(answer, got):
    for chunk in answer.streaming_content:
        got += chunk


@pytest.mark.parametrize("kind", ["zip", "many"])
def test_a_bit_that_flips_while_the_answer_runs_breaks_it_off(
    cast, client_of, case, pairing, scans_dir, kind, small_pieces
):
    other = stored(cast.lab_a, make_order(cast.lab_a, pairing), scans_dir, read=False)
    vera = client_of(cast.vera)
    answer = {
        "zip": lambda: vera.get(case.zip_url),
        "many": lambda: vera.post("/cases/download", {"order": [str(case.order.pk), str(other.order.pk)]}),
    }[kind]()
    rot(case.revision, at=5500)
    got = bytearray()
    with pytest.raises(PieceChanged):
        collect(answer, got)
    assert len(got) < int(answer["Content-Length"])
    assert case.zip[5000:6000] not in got
    if kind == "zip":
        assert case.zip.startswith(got)


def test_a_zip_that_was_cut_short_is_damaged_too(cast, client_of, case, scans_dir):
    path = scans_dir / case.revision.archive
    path.write_bytes(case.zip[:-1])
    assert client_of(cast.vera).get(case.zip_url).status_code == 503
    assert now(case).reason == "damaged"


def test_a_zip_that_the_disk_does_not_give_back_is_told_and_left_alone(cast, client_of, case, scans_dir, caplog):
    path = scans_dir / case.revision.archive
    path.unlink()
    path.mkdir()  # opens, and can't be read
    answer = client_of(cast.vera).get(case.zip_url)
    assert answer.status_code == 503
    assert "The stored scan cannot be read just now" in text_of(answer)
    assert f"stored_file_unreadable revision {case.revision.pk}" in caplog.text
    assert now(case).has_files


def test_a_damaged_case_has_no_files_on_its_page_until_they_are_back(cast, client_of, case):
    rot(case.revision)
    vera = client_of(cast.vera)
    vera.get(case.zip_url)
    assert case.zip_url not in vera.get(case.url).content.decode()
    assert vera.get(case.zip_url).status_code == 404
    with in_lab(cast.lab_a.pk):
        assert Order.objects.of(cast.lab_a).get(pk=case.order.pk).patient_last
