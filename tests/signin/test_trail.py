"""Log-ins in the audit: how somebody came in, and each second step that failed."""

from collections.abc import Callable
from typing import Any

from django.test import Client

from labportal.labs.models import User
from tests.audit.conftest import Since, since  # noqa: F401 - a fixture
from tests.cast import Cast
from tests.signin import phone
from tests.signin.conftest import is_in, log_in

Enrol = Callable[[User], tuple[Client, str]]


def told(entries: list[Any], action: str, fact: str) -> list[Any]:
    return [entry.details.get(fact) for entry in entries if entry.action == action]


def test_a_log_in_says_how(cast: Cast, enrol: Enrol, since: Since) -> None:  # noqa: F811 - the fixture
    log_in(cast.anna)
    _, secret = enrol(cast.theo)
    client = log_in(cast.theo)
    client.post("/accounts/2fa/authenticate/", {"code": phone.code(secret)})
    assert is_in(client)
    assert told(since(None), "log_in.done", "how") == ["password", "password", "password+totp"]


def test_a_wrong_code_and_one_that_was_used_are_recorded(cast: Cast, enrol: Enrol, since: Since) -> None:  # noqa: F811 - as above
    _, secret = enrol(cast.theo)
    log_in(cast.theo).post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert told(since(None), "second_step.failed", "kind") == ["totp"]
    code = phone.code(secret)
    log_in(cast.theo).post("/accounts/2fa/authenticate/", {"code": code})
    client = log_in(cast.theo)
    client.post("/accounts/2fa/authenticate/", {"code": code})
    assert not is_in(client)
    assert told(since(None), "second_step.failed", "kind") == ["totp", "totp"]
    assert told(since(cast.lab_a.pk), "second_step.failed", "kind") == ["totp", "totp"]
