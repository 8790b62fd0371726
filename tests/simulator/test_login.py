"""Log-in and consent, the code, and what is refused on the way."""

import pytest
import requests

from tests.simulator.launch import REDIRECT_URI, Simulator, Start
from tests.simulator.visitor import Assumed, authorization_url, consent, pkce


def pkce_url(simulator: Simulator, challenge: str, **changes: str | None) -> str:
    return authorization_url(simulator, code_challenge=challenge, code_challenge_method="S256", **changes)


def test_allowing_leads_back_with_code_and_state(simulator: Simulator) -> None:
    answer = consent(pkce_url(simulator, pkce()[1], state="a b&c"))
    assert set(answer) == {"code", "state"}
    assert answer["state"] == "a b&c"


def test_denying_leads_back_with_an_error(simulator: Simulator) -> None:
    answer = consent(pkce_url(simulator, pkce()[1]), decision="deny")
    assert answer["error"] == "access_denied"
    assert answer["error_description"]
    assert "code" not in answer


def test_a_wrong_password_shows_the_form_again(simulator: Simulator) -> None:
    form = {"username": "nordlicht@myitero.example", "password": "guess"}
    answer = requests.post(pkce_url(simulator, pkce()[1]), data=form, timeout=10)
    assert answer.status_code == 401
    assert "User name or password is not right." in answer.text


@pytest.mark.parametrize("uri", [f"{REDIRECT_URI}/", "https://elsewhere.example/", None])
def test_an_unregistered_return_address_gets_a_page_and_never_a_redirect(simulator: Simulator, uri: str | None) -> None:
    url = pkce_url(simulator, pkce()[1], redirect_uri=uri)
    answer = requests.get(url, timeout=10, allow_redirects=False)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_an_unknown_client_gets_a_page_and_never_a_redirect(simulator: Simulator) -> None:
    answer = requests.get(pkce_url(simulator, "x", client_id="somebody"), timeout=10, allow_redirects=False)
    assert answer.status_code == 400


@pytest.mark.parametrize("method", ["plain", None])
def test_a_request_without_s256_is_refused_by_redirect(simulator: Simulator, method: str | None) -> None:
    url = authorization_url(simulator, code_challenge="x", code_challenge_method=method)
    answer = requests.get(url, timeout=10, allow_redirects=False)
    assert answer.status_code == 302
    assert "error=invalid_request" in answer.headers["Location"]


def test_a_code_needs_its_own_verifier(simulator: Simulator) -> None:
    code = consent(pkce_url(simulator, pkce()[1]))["code"]
    answer = Assumed(simulator).exchange(code, pkce()[0])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_code_is_bound_to_its_return_address(simulator: Simulator) -> None:
    verifier, challenge = pkce()
    code = consent(pkce_url(simulator, challenge))["code"]
    answer = Assumed(simulator).exchange(code, verifier, redirect_uri="http://127.0.0.1:8000/other")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_wrong_client_secret_is_refused(simulator: Simulator) -> None:
    verifier, challenge = pkce()
    code = consent(pkce_url(simulator, challenge))["code"]
    answer = Assumed(simulator).exchange(code, verifier, client_secret="guess")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_using_a_code_twice_ends_what_it_gave(simulator: Simulator) -> None:
    verifier, challenge = pkce()
    code = consent(pkce_url(simulator, challenge))["code"]
    lab = Assumed(simulator)
    lab.keep(lab.exchange(code, verifier).json())
    assert lab.discover().status_code == 200
    assert lab.exchange(code, verifier).json()["error"] == "invalid_grant"
    assert lab.discover().status_code == 401


def test_a_code_lives_for_a_minute(start_simulator: Start) -> None:
    simulator = start_simulator()
    verifier, challenge = pkce()
    code = consent(pkce_url(simulator, challenge))["code"]
    simulator.advance_clock(61)
    assert Assumed(simulator).exchange(code, verifier).json()["error"] == "invalid_grant"
