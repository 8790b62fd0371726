"""What comes from outside is text on every page: never markup, never a script, never a reading direction of ours."""

import html
import re

import pytest

from connector.orders.history import record
from connector.orders.models import Restoration, Revision, RevisionState, ScanFile
from labportal.labs.tenancy import in_lab
from tests.orders.make import make_order, make_pairing
from tests.orders.pages import text_of

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script>"
OPENING = "<!--<script>alert(2)"  # with these in it a browser would not see the element's own end
QUOTES = "\"' onmouseover=alert(3) x='"
EVIL = f"{SCRIPT}{QUOTES}"


@pytest.fixture
def evil(cast):
    """Every word that a vendor can send, bad."""
    pairing = make_pairing(cast.lab_a)
    order = make_order(
        cast.lab_a, pairing, "1" + SCRIPT, patient_last=EVIL, patient_first=EVIL, doctor=EVIL, practice=EVIL,
        chart_number=EVIL, procedure=EVIL, case_type=EVIL, notes=EVIL, summary=EVIL, shade=EVIL, doctor_license=EVIL,
        practice_address=EVIL, vendor_status=EVIL, revisions=2, teeth=[3],
    )  # fmt: skip
    with in_lab(cast.lab_a.pk):
        Restoration.objects.create(lab=cast.lab_a, order=order, tooth=3, treatment=EVIL, material=EVIL, body=SCRIPT)
        Revision.objects.of(cast.lab_a).filter(order=order).update(state=RevisionState.READY, reason=SCRIPT)
        Revision.objects.of(cast.lab_a).filter(order=order, number=2).update(vendor_status=EVIL)
        record(order, "seen", status=EVIL)
        record(order, "workflow", workflow="{order.lab}" + SCRIPT)
        latest = Revision.objects.of(cast.lab_a).get(order=order, number=2)
        for place, role in enumerate(("other", "upper", "thumbnail")):
            ScanFile.objects.create(
                lab=cast.lab_a, revision=latest, member=place, name=f"a/{OPENING}{QUOTES}.ply", role=role, size=1,
                sha256="0" * 64, preview="x", problem=SCRIPT,
            )  # fmt: skip
    return order


def tags(content):
    return re.findall(r"<[a-zA-Z/][^>]*>", content)


@pytest.mark.parametrize("path", ["/?lane=all", "/cases/{pk}", "/cases/{pk}?revision=1", "/cases/{pk}/return"])
def test_no_word_from_outside_becomes_markup(cast, client_of, evil, path):
    content = client_of(cast.theo).get(path.format(pk=evil.pk)).content.decode()
    assert "alert(1)" in html.unescape(content)  # it is shown
    assert not re.search(r"<script[^>]*>\s*alert", content)
    assert not [tag for tag in tags(content) if re.search(r"\son\w+\s*=\s*alert", re.sub(r'"[^"]*"', "", tag))]


def test_the_facts_for_the_3d_view_cannot_end_their_element(cast, client_of, evil):
    content = client_of(cast.theo).get(f"/cases/{evil.pk}").content.decode()
    data = re.search(r'<script id="viewer-models" type="application/json">(.*?)</script>', content, re.S)
    assert data
    assert "alert(2)" in data[1]
    assert "<" not in data[1]


def test_a_right_to_left_name_is_isolated_from_the_words_around_it(cast, client_of, pairing):
    order = make_order(cast.lab_a, pairing, patient_last="حداد", patient_first="نور", practice="عيادة", doctor="د. نور")
    anna = client_of(cast.anna)
    for path in ("/", f"/cases/{order.pk}", f"/cases/{order.pk}/return"):
        content = anna.get(path).content.decode()
        for words in ("حداد, نور", "عيادة", "د. نور"):
            assert f"<bdi>{words}</bdi>" in content, (path, words)


def test_notes_keep_their_lines_and_lose_their_markup(cast, client_of, pairing):
    order = make_order(cast.lab_a, pairing, notes="First line\n<b>bold</b> & <img src=x onerror=alert(1)>")
    content = client_of(cast.anna).get(f"/cases/{order.pk}").content.decode()
    assert "First line\n&lt;b&gt;bold&lt;/b&gt; &amp; &lt;img src=x onerror=alert(1)&gt;" in content


def test_a_name_of_200_letters_is_shown_whole(cast, client_of, pairing):
    order = make_order(cast.lab_a, pairing, patient_last="Ä" * 200)
    anna = client_of(cast.anna)
    assert "Ä" * 200 in text_of(anna.get(f"/cases/{order.pk}"))
    assert "Ä" * 200 in text_of(anna.get("/"))


def test_a_patient_without_a_name_is_called_so(cast, client_of, pairing):
    order = make_order(cast.lab_a, pairing, patient_last="", patient_first="")
    anna = client_of(cast.anna)
    assert "No name" in text_of(anna.get("/"))
    assert "No name" in text_of(anna.get(f"/cases/{order.pk}"))
