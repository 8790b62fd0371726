"""The calls of OAuth: getting, refreshing and revoking tokens, with the client's own credentials."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from connector.itero.answers import TokenSet
from connector.itero.errors import BadAnswer
from connector.itero.outgoing import Outgoing
from connector.itero.profile_sections import OAuth, Paths
from connector.itero.reading import Json, is_token, pick, whole

_LONGEST_LIFE = 86_400


@dataclass(frozen=True)
class Credentials:
    """What Align's support hands out to the partner company."""

    client_id: str
    client_secret: str = field(repr=False)


def oauth_request(oauth: OAuth, url: str, credentials: Credentials, form: Mapping[str, str]) -> Outgoing:
    """A form with the client's credentials where the profile says."""
    request = Outgoing("POST", url, form=dict(form))
    if oauth.client_auth == "basic":
        # RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
        pair = f"{quote_plus(credentials.client_id)}:{quote_plus(credentials.client_secret)}"
        request.headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    else:
        request.form = {
            **form,
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
        }
    return request


def read_tokens(answer: Json, paths: Paths, *, default_life: int, refresh_token: str = "") -> TokenSet:
    """A token set; when no new refresh token came, the one that was used stays (RFC 6749, 6)."""
    access, refresh = (_token(pick(answer, paths[name])) for name in ("access_token", "refresh_token"))
    refresh = refresh or refresh_token
    missing = [name for name, value in (("access_token", access), ("refresh_token", refresh)) if not value]
    if missing:
        raise BadAnswer(f"the answer has no {' and no '.join(missing)}")
    life = whole(pick(answer, paths["expires_in"]))
    return TokenSet(access, refresh, min(life, _LONGEST_LIFE) if life else default_life)


def _token(value: Json) -> str:
    return value if isinstance(value, str) and is_token(value) else ""
