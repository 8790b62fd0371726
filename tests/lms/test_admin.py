"""The operator makes a lab's key in the admin site."""

import re
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from connector.lms.models import ApiKey
from labportal.labs.models import Role
from labportal.labs.services import add_member
from labportal.labs.tenancy import in_lab
from labportal.people.members import suspend


@pytest.fixture
def olga(cast, committed, client_of):
    return client_of(cast.olga)


def make(olga, cast):
    return olga.post("/admin/lms/apikey/add/", {"lab": str(cast.lab_a.pk), "name": "LMS"})


def test_the_operator_sees_a_new_key_on_one_answer_only_and_it_works(cast, olga):
    made = make(olga, cast)
    found = re.search(r'id="new-key">([^<]+)<', made.content.decode())
    assert found is not None
    text = found.group(1)
    assert "no-store" in made["Cache-Control"]
    assert Client().get("/api/v1/orders", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    again = olga.get("/admin/lms/apikey/")
    assert text not in again.content.decode()
    assert text not in "".join(morsel.value for morsel in olga.cookies.values())


def test_every_owner_of_the_lab_is_told_by_mail_and_nobody_else(cast, olga):
    add_member(lab=cast.lab_a, user=cast.nina, role=Role.OWNER)
    suspend(membership=add_member(lab=cast.lab_a, user=cast.vera, role=Role.OWNER))
    text = re.search(r'id="new-key">([^<]+)<', make(olga, cast).content.decode())
    assert [each.to for each in mail.outbox] == [["anna@example.com"], ["nina@example.com"]]
    with in_lab(cast.lab_a.pk):
        prefix = ApiKey.objects.of(cast.lab_a).get().prefix
    assert text is not None
    told = mail.outbox[0]
    assert isinstance(told, EmailMultiAlternatives)
    for body in (str(told.body), str(told.alternatives[0][0])):
        assert f"Key: LMS ({prefix}…)" in body
        assert "Who: Olga (olga@example.com)" in body
        assert "/keys/" in body
        assert text.group(1) not in body


def test_a_mail_server_that_is_away_stops_no_key(cast, olga, monkeypatch):
    def away(*args, **kwargs):
        raise SMTPServerDisconnected

    monkeypatch.setattr("django.core.mail.EmailMessage.send", away)
    assert 'id="new-key"' in make(olga, cast).content.decode()
