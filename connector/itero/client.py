"""The client: one method for each call of the Lab Connector API, named as the call."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import requests

from connector.itero import order_reader, paging
from connector.itero.addresses import AllowedHosts, read_origin
from connector.itero.answers import Account, Asset, Endpoints, Order, OrderPage, TokenSet
from connector.itero.consent import consent_address
from connector.itero.discovery import fixed_endpoints, read_endpoints
from connector.itero.download import Download, resume_headers
from connector.itero.errors import BadAnswer, BadRequest, IteroError
from connector.itero.outgoing import Outgoing, Value, build
from connector.itero.pace import PACE, Pace
from connector.itero.profile import Profile
from connector.itero.profile_sections import Call
from connector.itero.reading import Json, dig
from connector.itero.tokens import Credentials, oauth_request, read_tokens
from connector.itero.transport import Timeouts, Transport, bearer


@dataclass(frozen=True)
class Server:
    """The three server values that Align's support hands out."""

    oauth_base: str
    base_url: str
    login_page: str


class Client:
    """Calls Align for one installation; holds no tokens, keeps no connection, and may be shared between threads."""

    def __init__(
        self,
        profile: Profile,
        server: Server,
        credentials: Credentials,
        *,
        redirect_uri: str,
        allow_loopback: bool = False,
        connect_timeout: float = 10,
        read_timeout: float = 30,
        pace: Pace = PACE,
    ) -> None:
        if "#" in redirect_uri or not redirect_uri.startswith(
            ("https://", "http://") if allow_loopback else "https://"
        ):
            raise ValueError("redirect_uri must be https and without a #, as Align registers it")
        self.profile = profile
        self._places = {
            "oauthBase": server.oauth_base,
            "baseUrl": server.base_url,
            "loginPage": server.login_page,
            "fixedBaseUrl": profile.switches.fixed_base_url,
        }
        self._credentials = credentials
        self._redirect_uri = redirect_uri
        ours = [read_origin(url) for url in self._places.values() if url]
        self._hosts = AllowedHosts([*ours, *profile.extra_hosts], allow_loopback=allow_loopback)
        self._transport = Transport(self._hosts, profile.errors, Timeouts(connect_timeout, read_timeout), pace)

    def authorization_url(self, *, state: str, code_verifier: str) -> str:
        """The address of Align's consent page for the user's browser."""
        return consent_address(
            self.profile.oauth,
            self._expand(self.profile.oauth.authorize_url),
            client_id=self._credentials.client_id,
            redirect_uri=self._redirect_uri,
            state=state,
            code_verifier=code_verifier,
        )

    def get_token(self, *, code: str, code_verifier: str) -> TokenSet:
        """Get Token: the first set, good for Discovery, Get Accounts and Pair."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect_uri}
        if self.profile.oauth.pkce:
            form["code_verifier"] = code_verifier
        form |= self.profile.oauth.token_extra
        return self._tokens("get_token", self._expand(self.profile.oauth.token_url), form)

    def discovery(self, *, access_token: str) -> Endpoints:
        """Discovery: the region's addresses; HostNotAllowed if one of them is not on the list. With
        switches.fixed_base_url nothing is asked."""
        call = self.profile.calls.discovery
        if self.profile.switches.fixed_base_url:
            return fixed_endpoints(call, self._expand)
        answer = self._json("discovery", call.call, self._expand(call.url), access_token, {})
        with _named("discovery"):
            return read_endpoints(answer, call, self._hosts)

    def get_accounts(self, endpoints: Endpoints, *, access_token: str) -> tuple[Account, ...]:
        """Get Accounts: those that the user may pair to."""
        call = self.profile.calls.get_accounts
        answer = self._json("get_accounts", call.call, endpoints.url("accounts"), access_token, {})
        with _named("get_accounts"):
            return order_reader.read_accounts(answer, call)

    def pair(self, endpoints: Endpoints, *, access_token: str, account_id: str, callback_url: str = "") -> TokenSet:
        """Pair: a new token set, for the orders of that account; the first set is to be dropped."""
        call = self.profile.calls.pair
        values = {"account_id": account_id} | ({"callback_url": callback_url} if callback_url else {})
        answer = self._json("pair", call.call, endpoints.url("pair"), access_token, values)
        with _named("pair"):
            return read_tokens(answer, call.tokens, default_life=self.profile.oauth.default_expires_in)

    def unpair(self, endpoints: Endpoints, *, access_token: str, account_id: str) -> None:
        """Un Pair: ends the pairing."""
        values = {"account_id": account_id}
        request = self._request(self.profile.calls.unpair, endpoints.url("unpair"), access_token, values)
        self._transport.done(request, call="unpair")

    def refresh_token(self, endpoints: Endpoints | None, *, refresh_token: str) -> TokenSet:
        """Refresh Token: a new set; the old refresh token is used up. InvalidGrant when it was so before."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **self.profile.oauth.refresh_extra}
        url = endpoints.urls.get("token") if endpoints else ""
        url = url or self._expand(self.profile.oauth.token_url)
        return self._tokens("refresh_token", url, form, refresh_token)

    def revoke_token(self, endpoints: Endpoints | None, *, token: str) -> None:
        """Revoke Token: like a log-out; what it ends is switches.revoke."""
        form = {"token": token, **self.profile.oauth.revoke_extra}
        url = (endpoints.urls.get("revoke") if endpoints else "") or self._expand(self.profile.oauth.revoke_url)
        request = oauth_request(self.profile.oauth, url, self._credentials, form)
        self._transport.done(request, call="revoke_token", oauth=True)

    def get_orders(self, endpoints: Endpoints, *, access_token: str) -> Iterator[OrderPage]:
        """Get Orders: the new ones, page by page. Read all pages before downloading anything: a download takes its
        order off the list, and the pages after it move up."""
        call = self.profile.calls.get_orders

        def ask(request: Outgoing) -> Json:
            request.headers |= bearer(access_token)
            return self._transport.json(request, call="get_orders")

        with _named("get_orders"):
            for items in paging.pages(call, endpoints.url("orders"), ask):
                yield order_reader.read_page(items, self.profile)

    def get_order_by_rx_id(self, endpoints: Endpoints, *, access_token: str, rx_id: str) -> Order:
        """Get Order By RxID: one order in any status; NotFound when Align does not know it."""
        call = self.profile.calls.get_order_by_rx_id
        url = endpoints.url("order_by_rx_id")
        answer = self._json("get_order_by_rx_id", call.call, url, access_token, {"rx_id": rx_id})
        with _named("get_order_by_rx_id"):
            order = order_reader.read_order(dig(answer, call.order), self.profile)
            if order.rx_id.casefold() != rx_id.strip().casefold():
                raise BadAnswer("another order came than the one we asked for")
            return order

    @contextmanager
    def download_order(
        self, endpoints: Endpoints, *, access_token: str, order_id: str, asset: Asset, offset: int = 0, etag: str = ""
    ) -> Iterator[Download]:
        """Download Order: a zip, from `offset` on if the server still has the version of `etag`; without a strong
        ETag, or when the offset lies behind the end, from the beginning (see Download.offset)."""
        names = self.profile.assets
        name = names.full if asset is Asset.FULL else names.thumbnails
        values = {"order_id": order_id, "asset": name}
        request = self._request(self.profile.calls.download_order, endpoints.url("download"), access_token, values)
        request.headers |= {"Accept": "*/*", **resume_headers(offset, etag)}
        with self._download(request) as response:
            yield Download(response, offset=offset, etag=etag)

    def return_to_doctor(
        self, endpoints: Endpoints, *, access_token: str, order_id: str, reason: str, comment: str
    ) -> None:
        """Return to doctor: asks for a re-scan; Conflict when its status does not allow it."""
        values = {"order_id": order_id, "reason": reason, "comment": comment}
        request = self._request(self.profile.calls.return_to_doctor, endpoints.url("return"), access_token, values)
        self._transport.done(request, call="return_to_doctor")

    def _expand(self, template: str) -> str:
        for name, value in self._places.items():
            template = template.replace(f"{{{name}}}/", f"{value.rstrip('/')}/").replace(f"{{{name}}}", value)
        return template

    def _request(self, call: Call, url: str, access_token: str, values: Mapping[str, Value]) -> Outgoing:
        request = build(call, url, values)
        request.headers |= bearer(access_token)
        return request

    def _json(self, name: str, call: Call, url: str, access_token: str, values: Mapping[str, Value]) -> Json:
        with _named(name):
            return self._transport.json(self._request(call, url, access_token, values), call=name)

    def _tokens(self, name: str, url: str, form: Mapping[str, str], refresh_token: str = "") -> TokenSet:
        oauth = self.profile.oauth
        request = oauth_request(oauth, url, self._credentials, form)
        answer = self._transport.json(request, call=name, oauth=True)
        with _named(name):
            life = oauth.default_expires_in
            return read_tokens(answer, oauth.tokens, default_life=life, refresh_token=refresh_token)

    @contextmanager
    def _download(self, request: Outgoing) -> Iterator[requests.Response]:
        """An answer with the file; begins anew when the server says that there is nothing behind the offset (416)."""
        with ExitStack() as stack:
            try:
                response = stack.enter_context(self._transport.open(request, call="download_order"))
            except BadRequest as error:
                if error.status != 416 or "Range" not in request.headers:
                    raise
                for name in ("Range", "If-Range"):
                    del request.headers[name]
                response = stack.enter_context(self._transport.open(request, call="download_order"))
            yield response


@contextmanager
def _named(call: str) -> Iterator[None]:
    """Give an error that carries no call's name this one."""
    try:
        yield
    except IteroError as error:
        error.call = error.call or call
        raise
