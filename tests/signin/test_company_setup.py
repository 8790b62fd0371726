"""A lab's own provider: how it is found, and how an owner sets it up."""

import pytest
from cryptography.fernet import Fernet
from django.test import Client

from labportal.labs.models import Lab
from labportal.labs.tenancy import in_lab
from labportal.rotation import rotate_all
from labportal.sealing import SealError
from labportal.signin import company
from labportal.signin.models import SignOn
from tests.identity.running import Provider
from tests.labportal.test_log_in import said
from tests.orders.pages import text_of
from tests.signin import conftest
from tests.signin.at_company import come_in, set_up

# --- finding it -----------------------------------------------------------------------------------------------------


def ask(door: str):
    return Client().post("/accounts/company/", {"door": door})


def test_a_lab_without_a_provider_and_no_such_lab_look_the_same(cast, sign_on):
    assert said(ask("lab-b"), "lab-b") == said(ask("no-such-lab"), "no-such-lab")


def test_known_and_unknown_people_of_a_domain_look_the_same(cast, sign_on):
    with in_lab(cast.lab_a.pk):
        SignOn.objects.of(cast.lab_a).update(domains=["example.com"])
    known, unknown = ask("theo@example.com"), ask("nobody@example.com")
    assert known.context["host"] == unknown.context["host"] == "localhost"


def test_a_domain_counts_only_as_the_operator_entered_it_and_for_one_lab(cast, sign_on, identity):
    assert company.find("theo@example.com") is None
    with in_lab(cast.lab_a.pk):
        SignOn.objects.of(cast.lab_a).update(domains=["example.com"])
    assert company.find("Theo@Example.COM ") == sign_on.pk
    set_up(cast.lab_b, identity)
    with in_lab(cast.lab_b.pk):
        SignOn.objects.of(cast.lab_b).update(domains=["example.com"])
    assert company.find("theo@example.com") is None


def test_asking_for_many_labs_is_stopped(cast):
    answers = [ask(f"lab-{number}").status_code for number in range(32)]
    assert answers[:30] == [200] * 30
    assert answers[30:] == [429, 429]


# --- setting it up --------------------------------------------------------------------------------------------------


def enter(client: Client, identity: Provider, **more: str):
    form = {"issuer": identity.url, "client_id": "portal", "secret": "s3cret", **more}
    return client.post("/lab/sign-in/company", form)


def test_an_owner_sets_it_up_and_is_told_the_return_address(cast, identity):
    anna = conftest.log_in(cast.anna)
    assert enter(anna, identity)["Location"] == "/lab/sign-in"
    page = text_of(anna.get("/lab/sign-in"))
    with in_lab(cast.lab_a.pk):
        made = SignOn.objects.of(cast.lab_a).get()
    assert f"/accounts/oidc/{made.pk}/callback" in page
    assert "s3cret" not in anna.get("/lab/sign-in").content.decode()


def test_the_secret_is_sealed_for_its_row(cast, identity, sign_on):
    assert identity.secret not in sign_on.sealed_secret
    other = set_up(cast.lab_b, identity)
    other.sealed_secret = sign_on.sealed_secret
    with pytest.raises(SealError, match="foreign"):
        other.secret  # noqa: B018 - reading it is the act


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        ("http://login.example.com", "must begin with https"),
        ("https://127.0.0.1", "private network"),
        ("https://localhost", "private network"),
        ("https://10.1.2.3", "private network"),
        ("https://169.254.169.254", "private network"),
        ("https://[::1]", "private network"),
        ("https://[::ffff:10.0.0.1]", "private network"),
        ("https://[64:ff9b::a00:1]", "private network"),
        ("https://login.example.com:8443", "usual https port"),
        ("https://user@login.example.com", "no web address"),
        ("file:///etc/passwd", "no web address"),
        ("https://no-such-host.invalid", "not found"),
    ],
)
def test_an_issuer_leads_to_no_private_place(cast, identity, settings, issuer, words):
    anna = conftest.log_in(cast.anna)
    settings.SIMULATOR = False
    assert words in text_of(enter(anna, identity, issuer=issuer))
    with in_lab(cast.lab_a.pk):
        assert not SignOn.objects.of(cast.lab_a).exists()


def test_a_provider_that_calls_itself_otherwise_is_refused(cast, identity):
    anna = conftest.log_in(cast.anna)
    assert "calls itself by another address" in text_of(enter(anna, identity, issuer=f"{identity.url}/"))


def test_a_lab_can_not_be_laxer_than_the_portal(cast):
    anna = conftest.log_in(cast.anna)
    page = text_of(anna.post("/lab/sign-in", {"idle_minutes": "90", "session_hours": "13"}))
    assert "60 at most: that is the rule of the whole portal." in page
    assert "12 at most" in page


def test_rules_are_saved_and_written_into_the_audit(cast, rules):
    rules(cast.lab_a)
    anna = conftest.log_in(cast.anna)
    assert anna.post("/lab/sign-in", {"idle_minutes": "15"})["Location"] == "/lab/sign-in"
    assert Lab.objects.using("operator").get(pk=cast.lab_a.pk).idle_minutes == 15


def test_a_providers_secret_moves_to_the_newest_key(cast, identity, sign_on, settings):
    settings.TOKEN_KEYS = [f"newest:{Fernet.generate_key().decode()}", *settings.TOKEN_KEYS]
    assert rotate_all().done == 1
    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    assert come_in(identity, "theo@example.com")[1]["Location"] == "/"
