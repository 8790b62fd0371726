"""Several cases chosen in the inbox come in one zip, each untouched; what can't come is said, and nothing foreign."""

import io
import json
import re
import zipfile

import pytest

from connector.orders import store
from tests.orders.make import make_order, make_pairing
from tests.orders.pages import text_of
from tests.orders.stored import put_in_store, stored, zip_bytes
from tests.orders.taking import body, taken

pytestmark = pytest.mark.django_db


@pytest.fixture
def more(cast, scans_dir):
    """A case with the same order id in another account, and one whose zip is another."""
    twin = stored(cast.lab_a, make_order(cast.lab_a, make_pairing(cast.lab_a), "114582239"), scans_dir, read=False)
    third = make_order(cast.lab_a, make_pairing(cast.lab_a), "300")
    put_in_store(cast.lab_a, third, scans_dir, zip_bytes(8))
    return twin.order, third


def inner(answer):
    content = body(answer)
    assert answer["Content-Length"] == str(len(content))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def download(client, *orders):
    return client.post("/cases/download", {"order": [str(getattr(order, "pk", order)) for order in orders]})


def test_several_cases_come_in_one_zip_each_untouched(cast, client_of, case, more):
    twin, third = more
    answer = download(client_of(cast.vera), case.order, twin, third)
    assert inner(answer) == {
        "iTero_114582239.zip": zip_bytes(), "iTero_114582239 (2).zip": zip_bytes(), "iTero_300.zip": zip_bytes(8),
    }  # fmt: skip
    assert taken(case) == ["zip of scan 1, with others"]


def test_one_selected_case_comes_as_its_own_zip(cast, client_of, case):
    answer = download(client_of(cast.vera), case.order, case.order)
    assert body(answer) == case.zip
    assert answer["Content-Disposition"] == 'attachment; filename="iTero_114582239.zip"'


def test_the_latest_scan_with_files_is_taken(cast, client_of, pairing, scans_dir):
    order = make_order(cast.lab_a, pairing, "300", revisions=3)
    put_in_store(cast.lab_a, order, scans_dir, zip_bytes(), number=1)
    put_in_store(cast.lab_a, order, scans_dir, zip_bytes(8), number=2)
    answer = download(client_of(cast.vera), order)
    assert body(answer) == zip_bytes(8)
    assert answer["Content-Disposition"] == 'attachment; filename="iTero_300_r2.zip"'


def without_ages(words: str) -> str:
    """The inbox says how old a case is, which differs between two looks."""
    return re.sub(r"\b\d+ s\b", "", words)


def test_another_labs_case_is_never_among_them_and_answers_like_a_missing_one(cast, client_of, case, more, scans_dir):
    foreign = stored(cast.lab_b, make_order(cast.lab_b, make_pairing(cast.lab_b)), scans_dir, read=False).order
    vera = client_of(cast.vera)
    with_foreign = download(vera, case.order, more[1], foreign)
    assert set(inner(with_foreign)) == {"iTero_114582239.zip", "iTero_300.zip"}
    said = without_ages(text_of(vera.get("/")))
    assert "1 selected case is not in the download" in said
    inner(download(vera, case.order, more[1], "00000000-0000-4000-8000-000000000000"))
    assert without_ages(text_of(vera.get("/"))) == said
    alone = download(vera, foreign)
    assert alone.status_code == 302


def test_a_case_without_files_is_left_out_and_that_is_said(cast, client_of, case, more, pairing):
    empty = make_order(cast.lab_a, pairing)
    vera = client_of(cast.vera)
    assert len(inner(download(vera, case.order, empty, more[1]))) == 2
    assert "1 selected case is not in the download: no files are here yet." in text_of(vera.get("/"))


def test_what_a_download_left_out_comes_with_the_rows_to_the_page_that_waits_for_it(cast, client_of, case, pairing):
    vera = client_of(cast.vera)
    download(vera, case.order, make_order(cast.lab_a, pairing))
    refresh = {"HTTP_HX_REQUEST": "true", "HTTP_X_BACKGROUND": "1"}
    assert "HX-Trigger" not in vera.get("/", **refresh)  # another window of this person
    told = json.loads(vera.get("/", **refresh, HTTP_X_NOTICES="1")["HX-Trigger"])
    text = "1 selected case is not in the download: no files are here yet."
    assert told == {"notices": {"said": [{"text": text, "tone": "warning"}]}}
    assert text not in text_of(vera.get("/"))


@pytest.mark.parametrize("ids", [[], ["x"], ["-" * 36], ["0" * 36], ["\x00"]])
def test_a_selection_of_nothing_leads_back_with_words(cast, client_of, pairing, ids):
    vera = client_of(cast.vera)
    answer = vera.post("/cases/download", {"order": ids}, follow=True)
    assert "None of the selected cases has its files here yet." in text_of(answer)


def test_a_gone_file_does_not_stop_the_others_of_a_selection(cast, client_of, case, more):
    store.scans().delete(case.revision.archive)
    vera = client_of(cast.vera)
    assert set(inner(download(vera, case.order, *more))) == {"iTero_114582239.zip", "iTero_300.zip"}
    assert "1 selected case is not in the download" in text_of(vera.get("/"))
