"""What is handed out is what came, byte for byte, with headers under which foreign content can't run as ours."""

import hashlib
import io
import re
import zipfile

import pytest
from django.db import connection, connections
from django.test import Client

from connector.orders import store
from connector.orders.models import Order, RevisionState, ScanFile
from labportal.browser_rules import DOWNLOAD_POLICY
from labportal.labs.tenancy import in_lab
from tests.orders.make import make_order
from tests.orders.pages import text_of
from tests.orders.stored import put_in_store, stored, zip_bytes
from tests.orders.taking import address, body, files_of, taken

pytestmark = pytest.mark.django_db


def test_the_zip_comes_byte_for_byte(cast, client_of, case):
    answer = client_of(cast.vera).get(case.zip_url)
    assert body(answer) == case.zip
    assert answer["Content-Length"] == str(len(case.zip))
    assert answer["Content-Type"] == "application/zip"
    assert answer["ETag"] == f'"{hashlib.sha256(case.zip).hexdigest()}"'
    assert answer["Content-Disposition"] == 'attachment; filename="iTero_114582239.zip"'


def test_every_file_comes_as_it_lies_in_the_zip(cast, client_of, case):
    vera = client_of(cast.vera)
    files = files_of(case)
    assert {file.name.rsplit("/", 1)[-1] for file in files} == {name.rsplit("/", 1)[-1] for name in case.members}
    with zipfile.ZipFile(io.BytesIO(case.zip)) as archive:
        for file in files:
            answer = vera.get(address(case, file))
            content = body(answer)
            assert content == archive.read(archive.infolist()[file.member])
            assert answer["Content-Length"] == str(len(content))
            assert answer["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'


def test_foreign_content_cannot_run_as_ours(cast, client_of, case):
    vera = client_of(cast.vera)
    many = vera.post("/cases/download", {"order": [str(case.order.pk)]})
    for answer in (vera.get(case.zip_url), vera.get(address(case, files_of(case)[0])), many):
        body(answer)
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == DOWNLOAD_POLICY
        assert answer["Cache-Control"] == "no-store"


def test_pictures_and_previews_are_shown_inside_our_pages(cast, client_of, case):
    vera = client_of(cast.vera)
    with_preview = [file for file in files_of(case) if file.preview]
    assert {file.role for file in with_preview} >= {"upper", "lower", "thumbnail"}
    for file in with_preview:
        answer = vera.get(f"{address(case, file)}/{'picture' if file.role == 'thumbnail' else 'preview'}")
        start = body(answer)[:3]
        assert start == (b"\xff\xd8\xff" if file.role == "thumbnail" else b"ply")
        assert "attachment" not in answer.headers.get("Content-Disposition", "")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] == "no-store"
    small = vera.get(f"{case.url}/thumbnail")
    assert small["Content-Type"] == "image/jpeg"
    assert body(small).startswith(b"\xff\xd8\xff")


def test_a_download_is_told_on_the_timeline_with_its_person(cast, client_of, case):
    vera = client_of(cast.vera)
    body(vera.get(case.zip_url))
    assert "Downloaded: zip of scan 1 Vera" in text_of(vera.get(case.url))


@pytest.mark.parametrize("what", ["zip", "file", "picture", "thumbnail"])
def test_asking_for_the_head_gives_the_headers_alone_and_is_no_download(cast, client_of, case, what):
    picture = next(file for file in files_of(case) if file.role == "thumbnail")
    path = {
        "zip": case.zip_url,
        "file": address(case, picture),
        "picture": f"{address(case, picture)}/picture",
        "thumbnail": f"{case.url}/thumbnail",
    }[what]
    vera = client_of(cast.vera)
    head, whole = vera.head(path), vera.get(path)
    assert head.status_code == 200
    assert body(head) == b""
    assert head["Content-Length"] == str(len(body(whole)))
    assert len(taken(case)) == (1 if what in ("zip", "file") else 0)


def test_a_broken_zip_download_goes_on_and_is_told_once(cast, client_of, case):
    vera = client_of(cast.vera)
    etag = f'"{case.revision.sha256}"'
    first = vera.get(case.zip_url, headers={"Range": "bytes=0-999"})
    rest = vera.get(case.zip_url, headers={"Range": "bytes=1000-", "If-Range": etag})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert body(first) + body(rest) == case.zip
    assert rest["Content-Range"] == f"bytes 1000-{len(case.zip) - 1}/{len(case.zip)}"
    assert taken(case) == ["zip of scan 1"]


def test_a_broken_download_of_one_file_goes_on(cast, client_of, case):
    vera = client_of(cast.vera)
    file = max(files_of(case), key=lambda f: f.size)
    whole = body(vera.get(address(case, file)))
    part = vera.get(address(case, file), headers={"Range": "bytes=1000-1999"})
    assert part.status_code == 206
    assert body(part) == whole[1000:2000]
    assert body(vera.get(address(case, file), headers={"Range": "bytes=-10"})) == whole[-10:]


def test_a_range_behind_the_end_is_refused(cast, client_of, case):
    answer = client_of(cast.vera).get(case.zip_url, headers={"Range": f"bytes={len(case.zip)}-"})
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{len(case.zip)}"
    assert taken(case) == []


@pytest.mark.parametrize("kind", ["zip", "file", "many"])
def test_the_body_streams_without_the_database(cast, client_of, case, pairing, scans_dir, kind):
    other = stored(cast.lab_a, make_order(cast.lab_a, pairing), scans_dir, read=False)
    vera = client_of(cast.vera)
    answer = {
        "zip": lambda: vera.get(case.zip_url),
        "file": lambda: vera.get(address(case, files_of(case)[0])),
        "many": lambda: vera.post("/cases/download", {"order": [str(case.order.pk), str(other.order.pk)]}),
    }[kind]()

    def refuse(*args, **kwargs):
        raise AssertionError("the body asked the database")

    with connection.execute_wrapper(refuse), connections["operator"].execute_wrapper(refuse):
        assert len(body(answer)) == int(answer["Content-Length"])


# --- names, and files that are gone ------------------------------------------------------------------------------


HOSTILE = [
    "a\r\nSet-Cookie: x=1.ply", 'a"; filename="evil.exe', "evil\u202eylp.exe", "x" * 300 + ".ply", "..\\..\\evil.ply",
    "../../etc/passwd", "Zähne – 上顎.ply", "", "...", "a\x00b.ply", "\u2066iso\u2069.ply", "line\u2028break.ply",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_name_is_no_more_than_a_name(cast, client_of, case, name):
    file = files_of(case)[0]
    with in_lab(cast.lab_a.pk):
        ScanFile.objects.of(cast.lab_a).filter(pk=file.pk).update(name=name.replace("\x00", "")[:400])
    answer = client_of(cast.vera).get(address(case, file))
    said = answer["Content-Disposition"]
    assert body(answer)
    assert "Set-Cookie" not in answer.headers
    assert said.isascii()
    assert re.fullmatch(r"""attachment; filename(="[\w.#() -]{1,150}"|\*=utf-8''[\w.%()~!*'-]{1,1900})""", said), said
    assert not re.search(r"%E2%80%AE|%E2%81%A6|%E2%80%A8|%0D|%0A", said)
    assert "/" not in said
    assert "\\" not in said


def test_the_downloads_name_holds_no_patient(cast, client_of, pairing, scans_dir):
    order = make_order(cast.lab_a, pairing, "1/../\r\n\"'ü")
    put_in_store(cast.lab_a, order, scans_dir, zip_bytes())
    answer = client_of(cast.vera).get(f"/cases/{order.pk}/revisions/1/zip")
    assert body(answer) == zip_bytes()
    assert re.fullmatch(r'attachment; filename="iTero_1[_]+\.zip"', answer["Content-Disposition"])


@pytest.mark.parametrize("kind", ["zip", "file"])
def test_a_stored_file_that_is_gone_is_told_in_words(cast, client_of, case, kind, caplog):
    store.scans().delete(case.revision.archive)
    vera = client_of(cast.vera)
    answer = vera.get(case.zip_url if kind == "zip" else address(case, files_of(case)[0]))
    assert answer.status_code == 503
    page = text_of(answer)
    assert "The portal cannot find the stored scan" in page
    assert "Tell the operator" in page
    assert f'href="{case.url}"' in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert taken(case) == []
    assert f"stored_file_missing revision {case.revision.pk}" in caplog.text


def test_a_picture_that_is_gone_is_only_missing(cast, client_of, case):
    picture = next(file for file in files_of(case) if file.role == "thumbnail")
    store.scans().delete(picture.preview)
    assert client_of(cast.vera).get(f"{address(case, picture)}/picture").status_code == 404


# --- who may ------------------------------------------------------------------------------------------------------


def paths(case):
    file = files_of(case)[0]
    return [case.zip_url, address(case, file), f"{address(case, file)}/preview", f"{case.url}/thumbnail"]


def test_another_lab_gets_what_it_gets_for_a_missing_case(cast, client_of, case):
    bruno = client_of(cast.bruno)
    for path in paths(case):
        missing = bruno.get(path.replace(str(case.order.pk), "00000000-0000-4000-8000-000000000000"))
        foreign = bruno.get(path)
        assert (foreign.status_code, foreign.content) == (404, missing.content)


def test_somebody_signed_out_is_led_to_the_log_in(case):
    for path in paths(case):
        answer = Client().get(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("state", [RevisionState.QUARANTINED, RevisionState.FETCHING, RevisionState.GONE])
def test_a_scan_that_is_held_back_or_not_here_cannot_be_taken(cast, client_of, case, state):
    with in_lab(cast.lab_a.pk):
        Order.objects.of(cast.lab_a).get(pk=case.order.pk).revisions.update(state=state)
    vera = client_of(cast.vera)
    assert vera.get(case.zip_url).status_code == 404
    assert vera.get(address(case, files_of(case)[0])).status_code == 404
