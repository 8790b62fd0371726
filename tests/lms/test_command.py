"""Making a key from the shell."""

import io

import pytest
from django.core import mail
from django.core.management import CommandError, call_command

from connector.lms.key_text import is_well_formed
from tests.lms.conftest import with_key

pytestmark = pytest.mark.usefixtures("committed")


def test_the_command_prints_the_key_alone(cast):
    out = io.StringIO()
    call_command("createapikey", cast.lab_a.slug, "LMS", stdout=out)
    assert is_well_formed(out.getvalue().removesuffix("\n"))
    assert with_key(out.getvalue().strip())("/api/v1/orders").status_code == 200


def test_the_labs_owners_are_told_by_mail(cast):
    call_command("createapikey", cast.lab_a.slug, "LMS", stdout=io.StringIO())
    assert [each.to for each in mail.outbox] == [["anna@example.com"]]


def test_the_command_says_when_there_is_no_such_lab(cast):
    with pytest.raises(CommandError, match="no lab with the short name nowhere"):
        call_command("createapikey", "nowhere", "LMS")
