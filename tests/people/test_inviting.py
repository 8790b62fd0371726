"""The owner asks people in: who may, what the mail says, what ends a link."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from connector.pairing.models import Pairing
from labportal.labs.models import Role
from labportal.labs.tenancy import in_lab
from labportal.people.models import Invitation
from tests.cast import Cast
from tests.orders.make import make_pairing
from tests.orders.pages import text_of
from tests.people.conftest import invited, link_in

pytestmark = pytest.mark.django_db


def send(client: Client, email: str = "carla@example.com", **more: Any) -> Any:
    return client.post("/people/invite", {"email": email, "role": "technician", **more}, follow=True)


def of_lab_a(cast: Cast) -> Invitation:
    with in_lab(cast.lab_a.pk):
        return Invitation.objects.of(cast.lab_a).get()


def test_an_invitation_is_a_mail_to_that_address_with_a_link(cast: Cast, anna: Client) -> None:
    page = send(anna, "Carla@Example.com")
    assert "An invitation is on its way to carla@example.com" in text_of(page)
    assert mail.outbox[0].to == ["carla@example.com"]
    assert mail.outbox[0].subject == "Lab A invites you to its lab portal"
    assert "Anna invites you" in str(mail.outbox[0].body)
    assert link_in(mail.outbox[0]).startswith("/join/")


def test_the_mail_is_there_in_our_colours_too(anna: Client) -> None:
    send(anna)
    message = mail.outbox[0]
    assert isinstance(message, mail.EmailMultiAlternatives)
    body, kind = message.alternatives[0]
    assert kind == "text/html"
    assert link_in(message) in str(body)


def test_the_token_is_kept_as_a_hash_only(cast: Cast, anna: Client) -> None:
    send(anna)
    token = link_in(mail.outbox[0]).removeprefix("/join/")
    with in_lab(cast.lab_a.pk):
        kept = str(Invitation.objects.of(cast.lab_a).values().get())
    assert token not in kept


def test_a_lab_name_can_not_add_a_header_to_the_mail(cast: Cast, anna: Client) -> None:
    with in_lab(cast.lab_a.pk):
        type(cast.lab_a).objects.filter(pk=cast.lab_a.pk).update(name="Lab\nBcc: x@example.com")
    send(anna)
    assert mail.outbox[0].subject == "Lab Bcc: x@example.com invites you to its lab portal"
    assert mail.outbox[0].bcc == []


def test_whether_an_address_has_a_log_in_is_not_said_to_the_inviter(anna: Client) -> None:
    """Nina has one, Carla has none."""
    known, unknown = send(anna, "nina@example.com"), send(anna, "carla@example.com")
    assert "on its way to nina@example.com" in text_of(known)
    assert "on its way to carla@example.com" in text_of(unknown)
    words = [str(m.body).replace(m.to[0], "…").replace(link_in(m), "…") for m in mail.outbox]
    assert words[0] == words[1]


def test_a_member_is_not_invited_again(anna: Client) -> None:
    assert "in your lab already" in text_of(send(anna, "theo@example.com"))
    assert mail.outbox == []


def test_an_address_that_is_invited_is_not_invited_twice(anna: Client) -> None:
    send(anna)
    assert "invited already" in text_of(send(anna))
    assert len(mail.outbox) == 1


def test_after_it_expired_an_address_can_be_invited_anew(cast: Cast, anna: Client) -> None:
    send(anna)
    with in_lab(cast.lab_a.pk):
        Invitation.objects.of(cast.lab_a).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "on its way" in text_of(send(anna))


def test_only_some_connections_can_be_given(cast: Cast, anna: Client, two: tuple[Pairing, Pairing]) -> None:
    send(anna, which="some", pairings=[str(two[0].pk)])
    assert of_lab_a(cast).pairings == [two[0].pk]


def test_some_connections_are_at_least_one(anna: Client, two: tuple[Pairing, Pairing]) -> None:
    assert "Choose at least one connection" in text_of(send(anna, which="some"))
    assert mail.outbox == []


def test_a_connection_of_another_lab_can_not_be_given(cast: Cast, anna: Client) -> None:
    foreign = make_pairing(cast.lab_b)
    assert "Select a valid choice" in text_of(send(anna, which="some", pairings=[str(foreign.pk)]))


def test_an_owner_is_given_all_connections_always(cast: Cast, anna: Client, two: tuple[Pairing, Pairing]) -> None:
    send(anna, role="owner", which="some", pairings=[str(two[0].pk)])
    made = of_lab_a(cast)
    assert (made.role, made.pairings) == (Role.OWNER, None)


def test_a_mail_that_can_not_leave_is_said_and_can_be_sent_again(cast: Cast, anna: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
        "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1", 1,
    )  # fmt: skip
    page = text_of(send(anna))
    assert "the mail could not be sent" in page
    assert "The mail could not be sent: try again" in page
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    page = text_of(anna.post(f"/people/invitations/{of_lab_a(cast).pk}/resend", follow=True))
    assert "Waiting, until" in page
    assert len(mail.outbox) == 1


def test_a_link_that_is_sent_again_is_another_one_and_the_old_one_ends(cast: Cast, anna: Client) -> None:
    old = invited(cast.lab_a, cast.anna)
    anna.post(f"/people/invitations/{of_lab_a(cast).pk}/resend")
    new = link_in(mail.outbox[-1])
    assert old != new
    assert "no longer works" in text_of(Client().get(old, follow=True))
    assert "You are new here" in text_of(Client().get(new, follow=True))


def test_a_withdrawn_link_opens_nothing(cast: Cast, anna: Client) -> None:
    link = invited(cast.lab_a, cast.anna)
    assert "Withdrawn." in text_of(anna.post(f"/people/invitations/{of_lab_a(cast).pk}/withdraw", follow=True))
    assert "no longer works" in text_of(Client().get(link, follow=True))
    assert "carla@example.com" not in text_of(anna.get("/people/"))


def test_an_owner_who_sends_very_many_mails_is_stopped(anna: Client, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"invite": "2/h/user"}
    answers = [send(anna, f"p{number}@example.com").status_code for number in range(3)]
    assert answers == [200, 200, 429]
    assert len(mail.outbox) == 2


def test_the_page_names_members_and_invitations(cast: Cast, anna: Client, two: tuple[Pairing, Pairing]) -> None:
    send(anna, which="some", pairings=[str(two[0].pk)])
    page = text_of(anna.get("/people/"))
    assert all(words in page for words in ("Anna", "Theo", "Vera", "carla@example.com", "Waiting, until", "by Anna"))
    assert "bruno" not in page.lower()
