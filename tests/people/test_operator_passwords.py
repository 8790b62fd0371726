"""No operator chooses, or changes unseen, the password of somebody: it is chosen by a link in a mail."""

import getpass
import io
import re
from collections.abc import Callable
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import NoReverseMatch, reverse

from labportal.audit.models import INSTALLATION, Entry
from labportal.labs.models import Lab, User
from labportal.labs.tenancy import in_lab
from tests.audit.conftest import Since, since  # noqa: F401 - a fixture
from tests.cast import PASSWORD, Cast
from tests.orders.pages import text_of

PEOPLE = "/admin/labs/user/"
NEW = "zebra quilt 91 lamp"


@pytest.fixture
def olga(committed: None, cast: Cast, client_of: Callable[[User], Client]) -> Client:
    cache.clear()
    return client_of(cast.olga)


def send_link(olga: Client, *people: User) -> Any:
    form = {"action": "send_password_link", "_selected_action": [str(person.pk) for person in people]}
    return olga.post(PEOPLE, form, follow=True)


def choose_by(message: mail.EmailMessage, password: str) -> None:
    """Whoever got the mail opens its link and chooses."""
    link = re.search(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", str(message.body))
    assert link
    client = Client()
    page = client.get(link[1])["Location"]
    assert client.post(page, {"password1": password, "password2": password}).status_code == 302


def opens(person: User, password: str) -> bool:
    answer = Client().post("/accounts/login/", {"login": person.email, "password": password})
    return answer.status_code == 302


def acts_of(lab: Lab) -> list[str]:
    with in_lab(lab.pk):
        return list(Entry.objects.filter(chain=lab.pk).order_by("seq").values_list("action", flat=True))


def acts_of_the_installation() -> list[str]:
    entries = Entry.objects.using("operator").filter(chain=INSTALLATION)
    return list(entries.order_by("seq").values_list("action", flat=True))


@pytest.mark.parametrize("page", ["password/", "change/"])
def test_no_form_of_the_operator_takes_a_password(olga: Client, cast: Cast, page: str) -> None:
    form = {"email": cast.theo.email, "name": "Theo", "is_active": "on", "usable_password": "true"}
    olga.post(f"{PEOPLE}{cast.theo.pk}/{page}", form | {"password": NEW, "password1": NEW, "password2": NEW})
    assert opens(cast.theo, PASSWORD)
    assert not opens(cast.theo, NEW)
    assert 'name="password' not in olga.get(f"{PEOPLE}{cast.theo.pk}/{page}", follow=True).content.decode()


def test_there_is_no_such_page_of_djangos() -> None:
    with pytest.raises(NoReverseMatch):
        reverse("admin:auth_user_password_change", args=["0"])


def test_a_person_chooses_by_the_link_that_the_operator_has_sent(olga: Client, cast: Cast) -> None:
    assert "on its way to theo@example.com" in text_of(send_link(olga, cast.theo))
    (sent,) = mail.outbox
    assert sent.to == ["theo@example.com"]
    assert "/accounts/password/reset/key/" not in text_of(olga.get(PEOPLE))
    choose_by(sent, NEW)
    assert opens(cast.theo, NEW)


def test_the_persons_lab_sees_in_its_audit_that_a_link_was_sent(olga: Client, cast: Cast) -> None:
    before, others = len(acts_of(cast.lab_a)), acts_of(cast.lab_b)
    send_link(olga, cast.theo)
    assert acts_of(cast.lab_a)[before:] == ["password.link_sent"]
    assert acts_of(cast.lab_b) == others


def test_a_log_in_that_is_closed_gets_no_link(olga: Client, cast: Cast) -> None:
    User.objects.filter(pk=cast.theo.pk).update(is_active=False)
    send_link(olga, cast.theo)
    assert mail.outbox == []


def test_the_operator_is_told_when_the_mail_could_not_leave(
    olga: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise SMTPServerDisconnected

    monkeypatch.setattr("django.core.mail.EmailMessage.send", away)
    assert "could not be sent" in text_of(send_link(olga, cast.theo))


def test_a_new_person_has_no_password_until_they_choose_one(olga: Client) -> None:
    form = {"email": "carla@example.com", "name": "Carla", "password1": PASSWORD, "password2": PASSWORD}
    assert olga.post(f"{PEOPLE}add/", form | {"usable_password": "true"}).status_code == 302
    carla = User.objects.get(email="carla@example.com")
    assert not carla.has_usable_password()
    choose_by(mail.outbox[-1], NEW)
    assert opens(carla, NEW)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("page", ["password_change/", "password_change/done/"])
def test_the_operators_own_password_changes_on_the_page_of_everybody(
    olga: Client, cast: Cast, page: str, method: str
) -> None:
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert getattr(olga, method)(f"/admin/{page}", form)["Location"] == "/accounts/password/change/"
    assert opens(cast.olga, PASSWORD)


def test_there_it_is_told_by_mail_and_stands_in_the_installations_audit(olga: Client, cast: Cast) -> None:
    before = len(acts_of_the_installation())
    olga.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert opens(cast.olga, NEW)
    assert [each.to for each in mail.outbox] == [["olga@example.com"]]
    assert acts_of_the_installation()[before] == "password.changed"


def test_a_password_set_on_the_machine_stands_in_the_audit_of_the_persons_labs(
    committed: None,
    cast: Cast,
    since: Since,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(getpass, "getpass", lambda prompt: "typed at the machine")
    call_command("changepassword", "Theo@Example.com", stdout=io.StringIO())
    assert User.objects.get(pk=cast.theo.pk).check_password("typed at the machine")
    for chain in (cast.lab_a.pk, None):
        assert [entry.action for entry in since(chain)] == ["password.set_on_machine"]
    assert since(cast.lab_b.pk) == []
