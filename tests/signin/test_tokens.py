"""ID tokens that a provider did not make, or not for us, or not now."""

import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from labportal.signin.provider import ProviderError, read_configuration, verify
from tests.identity.running import provider

NO_KEY = object()


@pytest.fixture(scope="module")
def key_pem(tmp_path_factory):
    return tmp_path_factory.mktemp("identity")


@pytest.fixture(scope="module")
def identity(key_pem):
    with provider(key_pem) as running:
        yield running


@pytest.fixture
def make(identity, key_pem):
    """A token as the provider itself would sign it, with changes."""
    configuration = read_configuration(identity.url)
    kid = jwt.PyJWKClient(configuration["jwks_uri"]).get_jwk_set().keys[0].key_id

    def made(*, key=None, algorithm="RS256", **claims):
        now = int(time.time())
        body = {"iss": identity.url, "aud": "portal", "sub": "1", "iat": now, "exp": now + 300, **claims}
        signing: Any = None if key is NO_KEY else key or (key_pem / "key.pem").read_text()
        return jwt.encode(body, signing, algorithm=algorithm, headers={"kid": kid})

    return lambda **changes: verify(made(**changes), configuration=configuration, client_id="portal")


def test_a_token_of_the_provider_is_taken(make):
    assert make()["sub"] == "1"


def test_also_when_its_clock_is_a_little_ahead(make):
    assert make(iat=int(time.time()) + 30)["sub"] == "1"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"aud": ["portal", "another"], "azp": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"iat": int(time.time()) + 3600},
        {"key": "x" * 64, "algorithm": "HS256"},
        {"key": rsa.generate_private_key(public_exponent=65537, key_size=2048)},
    ],
    ids=["audience", "for another", "issuer", "expired", "not yet", "shared secret", "another key"],
)
def test_any_other_is_refused(make, changes):
    with pytest.raises(ProviderError, match="bad_token"):
        make(**changes)


def test_an_unsigned_token_is_refused(make):
    with pytest.raises(ProviderError, match="bad_token"):
        make(key=NO_KEY, algorithm="none")
