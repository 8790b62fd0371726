"""Keys that were made before keys had limits."""

from importlib import import_module

from django.db import connections

from connector.lms.models import READ_FILES, READ_ORDERS, ApiKey
from connector.lms.services import Limits, make_key
from labportal.labs.tenancy import in_lab

walls = import_module("connector.lms.migrations.0004_key_limits_walls")


def test_after_the_upgrade_they_still_download_files(committed, cast):
    before = [[READ_ORDERS], [READ_ORDERS, READ_FILES], ["nothing"]]
    keys = [make_key(lab=cast.lab_a, name="LMS", by=None, limits=Limits(scopes=scopes))[0] for scopes in before]
    with connections["owner"].cursor() as cursor:
        cursor.execute(walls.MAY_STILL_DOWNLOAD)
        cursor.execute("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'lms_apikey'")
        assert cursor.fetchall() == [(True,)]
    with in_lab(cast.lab_a.pk):
        after = [ApiKey.objects.of(cast.lab_a).get(pk=key.pk).scopes for key in keys]
    assert after == [[READ_ORDERS, READ_FILES], [READ_ORDERS, READ_FILES], ["nothing"]]
