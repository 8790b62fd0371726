"""The operator makes a lab's key in the admin site."""

import re

from django.test import Client


def test_the_operator_sees_a_new_key_on_one_answer_only_and_it_works(cast, committed, client_of):
    olga = client_of(cast.olga)
    made = olga.post("/admin/lms/apikey/add/", {"lab": str(cast.lab_a.pk), "name": "LMS"})
    found = re.search(r'id="new-key">([^<]+)<', made.content.decode())
    assert found is not None
    text = found.group(1)
    assert "no-store" in made["Cache-Control"]
    assert Client().get("/api/v1/orders", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    again = olga.get("/admin/lms/apikey/")
    assert text not in again.content.decode()
    assert text not in "".join(morsel.value for morsel in olga.cookies.values())
