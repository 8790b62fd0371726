"""The user's way through Align's consent page: there with an address, back with a code.

Of authlib we take what RFC 7636 and RFC 6749 fix: the code challenge, random verifiers, and the authorization
address. Its OAuth2Session is not used: it expects the token answer's field names and error codes of RFC 6749, sends
Basic credentials unescaped, and has a transport of its own, while here names and nesting come from the profile
and every byte goes through one guarded transport.
"""

from collections.abc import Mapping
from hmac import compare_digest

from authlib.common.security import generate_token
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from connector.itero.errors import AccessDenied, BadRequest
from connector.itero.profile import Profile
from connector.itero.profile_sections import OAuth


def new_code_verifier() -> str:
    """A fresh secret of 64 characters for one authorization (RFC 7636)."""
    return str(generate_token(64))


def consent_address(
    oauth: OAuth, page: str, *, client_id: str, redirect_uri: str, state: str, code_verifier: str
) -> str:
    """The address to send the user's browser to."""
    if not state:
        raise ValueError("state must not be empty: it ties the answer to the session")
    extra = dict(oauth.authorize_extra)
    if oauth.pkce:
        if not code_verifier:
            raise ValueError("this profile uses PKCE: code_verifier must not be empty")
        extra |= {"code_challenge": create_s256_code_challenge(code_verifier), "code_challenge_method": "S256"}
    return str(prepare_grant_uri(page, client_id, "code", redirect_uri, oauth.scope or None, state, **extra))


def read_redirect(query: Mapping[str, str], profile: Profile, *, state: str) -> str:
    """The authorization code from the redirect's parameters; AccessDenied when the user declined, BadRequest when the
    state is not ours or no code came."""
    if not state or not compare_digest(query.get("state", "").encode(), state.encode()):
        raise BadRequest("the state is not the one that we sent", call="authorization")
    if query.get("error"):
        kind = AccessDenied if query["error"] in profile.errors.access_denied else BadRequest
        raise kind("the consent page answered with an error", call="authorization")
    if not query.get("code"):
        raise BadRequest("the redirect carries no code", call="authorization")
    return query["code"]
