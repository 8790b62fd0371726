"""A thousand guesses: stopped at the account and at the address, and nobody learns which accounts there are."""

import statistics
import threading
import time

import pytest
from allauth.account.auth_backends import AuthenticationBackend
from django.core.cache import cache
from django.db import connections
from django.test import Client

from labportal.labs.models import User
from tests.cast import PASSWORD
from tests.labportal.test_log_in import said
from tests.orders.pages import text_of
from tests.signin.conftest import LOG_IN

TOO_MANY = "Too many failed login attempts. Try again later."
WRONG = "The email address and/or password you specified are not correct."


@pytest.fixture(autouse=True)
def _by_proxy(settings):
    """Guesses come from many addresses; the visitor's own counts."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1


@pytest.fixture
def looked_at(monkeypatch):
    """The passwords that were compared at all, known person or not."""
    seen = []
    real = AuthenticationBackend.authenticate

    def counted(self, request, **credentials):
        seen.append(credentials.get("password"))
        return real(self, request, **credentials)

    monkeypatch.setattr(AuthenticationBackend, "authenticate", counted)
    return seen


def guess(email, password="wrong", *, address="203.0.113.7"):
    return Client(headers={"X-Forwarded-For": address}).post(LOG_IN, {"login": email, "password": password})


def addresses(count):
    return [f"198.18.{number // 250}.{number % 250 + 1}" for number in range(count)]


def test_five_hundred_guesses_at_one_account_from_as_many_addresses_are_stopped_after_five(cast, looked_at):
    answers = [guess("anna@example.com", f"guess{n}", address=a) for n, a in enumerate(addresses(500))]
    assert [answer.status_code for answer in answers] == [200] * 500
    assert all(WRONG in text_of(answer) for answer in answers[:5])
    assert all(TOO_MANY in answer.content.decode() for answer in answers[5:])
    assert len(looked_at) == 5
    assert TOO_MANY in text_of(guess("anna@example.com", PASSWORD, address="198.51.100.1"))


def test_another_port_in_the_hosts_name_does_not_begin_a_new_count(cast, looked_at):
    for number, address in enumerate(addresses(20)):
        host = f"testserver:{1000 + number}"
        browser = Client(headers={"X-Forwarded-For": address, "Host": host})
        browser.post(LOG_IN, {"login": "anna@example.com", "password": f"guess{number}"})
    assert len(looked_at) == 5


def test_an_unknown_account_is_stopped_in_the_same_way_with_the_same_words(cast, looked_at):
    for number, address in enumerate(addresses(7)):
        known = guess("anna@example.com", f"guess{number}", address=address)
        unknown = guess("nobody@example.com", f"guess{number}", address=address)
        assert said(known, "anna@example.com") == said(unknown, "nobody@example.com")
    assert len(looked_at) == 10


def test_five_hundred_guesses_from_one_address_at_as_many_accounts_are_stopped_after_ten(cast, looked_at):
    answers = [guess(f"person{number}@example.com") for number in range(500)]
    assert len(looked_at) == 10
    assert {answer.status_code for answer in answers[30:]} == {429}
    assert guess("theo@example.com", PASSWORD, address="198.51.100.2").status_code == 302  # others come in


def test_guesses_at_the_same_moment_do_not_slip_through(cast, looked_at):
    def one(address):
        try:
            guess("anna@example.com", address=address)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=[address]) for address in addresses(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looked_at) <= 5


@pytest.fixture
def anna(cast, passwords_as_they_run):
    """Her password hashed as the portal does it."""
    anna = User.objects.get(pk=cast.anna.pk)
    anna.set_password(PASSWORD)
    anna.save()
    return anna


def slower(first, second, rounds=6):
    """How many times longer a guess at the second takes than one at the first: medians, taken in turns."""
    took: dict[str, list[float]] = {first: [], second: []}
    for _ in range(rounds):
        for email in (first, second):
            cache.clear()
            begin = time.perf_counter()
            guess(email)
            took[email].append(time.perf_counter() - begin)
    return statistics.median(took[second]) / statistics.median(took[first])


def test_a_guess_takes_as_long_for_an_unknown_account(anna):
    assert 0.7 < slower("anna@example.com", "nobody@example.com") < 1.43


@pytest.mark.usefixtures("passwords_as_they_run")
def test_also_for_one_that_is_closed_or_has_no_password(cast):
    closed = User.objects.create_user("closed@example.com", PASSWORD, is_active=False)
    bare = User.objects.create_user("bare@example.com")
    try:
        assert 0.7 < slower("nobody@example.com", "closed@example.com") < 1.43
        assert 0.7 < slower("nobody@example.com", "bare@example.com") < 1.43
    finally:
        closed.delete()
        bare.delete()


def test_control_without_the_same_work_for_unknown_accounts_the_clock_tells(anna, monkeypatch):
    monkeypatch.setattr(AuthenticationBackend, "_mitigate_timing_attack", lambda self, password: None)
    assert slower("anna@example.com", "nobody@example.com", rounds=5) < 0.7
