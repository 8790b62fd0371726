"""allauth's OpenID Connect provider with what it leaves out: nonce, signature and subject are always checked.

PKCE is on by SOCIALACCOUNT_PROVIDERS. An address can add nothing to a log-in: allauth would take scope, parameters and
purpose from it.
"""

import hmac
import secrets
from typing import Any

import jwt
import requests
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse

from labportal.labs import sessions
from labportal.signin.outgoing import check_url

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
LEEWAY = 60  # seconds that the provider's clock may be off
KEPT = ("sub", "nonce", "email", "email_verified")


class ProviderError(OAuth2Error):  # type: ignore[misc]  # allauth publishes no types
    """What is wrong with a provider or its answer; the text is a code."""


def read_configuration(issuer: str) -> dict[str, Any]:
    """The provider's discovery document. Errors: ProviderError, requests.RequestException."""
    with get_adapter().get_requests_session() as session:
        answer = session.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        answer.raise_for_status()
        try:
            found: dict[str, Any] = answer.json()
        except requests.JSONDecodeError as error:
            raise ProviderError("no_document") from error
    if not isinstance(found, dict) or found.get("issuer") != issuer:
        raise ProviderError("other_issuer")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(found.get(name), str):
            raise ProviderError("no_document")
        check_url(found[name])
    return found


def verify(token: str, *, configuration: dict[str, Any], client_id: str) -> dict[str, Any]:
    """The claims of an ID token whose signature, issuer, audience and times are right. Errors: ProviderError."""
    with get_adapter().get_requests_session() as session:
        keys = session.get(configuration["jwks_uri"])
        keys.raise_for_status()
    try:
        ring = jwt.PyJWKSet.from_dict(keys.json()).keys
        kid = jwt.get_unverified_header(token).get("kid")
        key = next(k for k in ring if k.key_id == kid or (kid is None and len(ring) == 1))
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=ALGORITHMS, audience=client_id, issuer=configuration["issuer"], leeway=LEEWAY,
            options={"require": ["exp", "iat", "sub", "aud", "iss"]},
        )  # fmt: skip
    except (jwt.PyJWTError, StopIteration, ValueError, AttributeError, TypeError) as error:
        raise ProviderError("bad_token") from error
    if claims.get("azp", client_id) != client_id or not _is_subject(claims["sub"]):
        raise ProviderError("bad_token")
    return claims


def _is_subject(sub: Any) -> bool:
    """OpenID Connect Core 2: at most 255 ASCII characters."""
    return isinstance(sub, str) and 0 < len(sub) <= 255 and sub.isascii() and sub.isprintable()


class LabOAuth2Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth publishes no types
    @property
    def openid_config(self) -> dict[str, Any]:
        if not hasattr(self, "_configuration"):
            self._configuration = read_configuration(self.get_provider().app.settings["server_url"])
        return self._configuration

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        answer = kwargs["response"]
        if not isinstance(answer.get("id_token"), str):
            raise ProviderError("bad_token")
        claims = verify(answer["id_token"], configuration=self.openid_config, client_id=app.client_id)
        if "email" not in claims and self.openid_config.get("userinfo_endpoint"):
            more = self._fetch_user_info(token.token)
            if more.get("sub") != claims["sub"]:
                raise ProviderError("other_person")
            claims |= {name: more[name] for name in ("email", "email_verified") if name in more}
        kept = {name: claims[name] for name in KEPT if name in claims}
        return self.get_provider().sociallogin_from_response(request, {"id_token": kept})


class LabProvider(OpenIDConnectProvider):  # type: ignore[misc]  # as above
    oauth2_adapter_class = LabOAuth2Adapter

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponse:
        nonce = secrets.token_urlsafe(32)
        asked = {"nonce": nonce}
        if sessions.company_lab(request):  # to confirm who it is: the provider must ask anew
            asked |= {"prompt": "login", "max_age": "0"}
        answer: HttpResponse = super().redirect(
            request, "login", next_url=next_url, data={"nonce": nonce}, auth_params=asked, scope=self.get_scope()
        )
        return answer

    @staticmethod
    def answers_our_question(login: SocialLogin) -> bool:
        """The ID token was made for this very log-in."""
        sent = (login.state.get("data") or {}).get("nonce", "")
        came = login.account.extra_data["id_token"].get("nonce", "")
        return bool(sent) and isinstance(came, str) and hmac.compare_digest(sent, came)


provider_classes = [LabProvider]
