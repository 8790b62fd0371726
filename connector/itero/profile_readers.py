"""Readers that build the sections of a profile out of the file's tables, key by key."""

import re
from types import MappingProxyType

from connector.itero import profile_sections as sections
from connector.itero.toml_table import TomlTable

PLACEHOLDERS = ("oauthBase", "baseUrl", "loginPage", "fixedBaseUrl")


def read_param(table: TomlTable) -> sections.Param:
    """One parameter's place."""
    where = table.choice("where", "query", "json", "form", "url", "none")
    number = table.choice("as", "text", "number") == "number"
    return sections.Param(where, table.text("name", empty=where == "none"), number)


def read_constant(table: TomlTable) -> sections.Constant:
    """One fixed parameter."""
    where = table.choice("where", "query", "json", "form")
    constant = sections.Constant(where, table.text("name", empty=False), table.text("value"))
    table.finish()
    return constant


def read_call(table: TomlTable, *params: str) -> sections.Call:
    """The part that every call has."""
    places = {}
    if params:
        places = table.read("params", lambda inner: {name: inner.read(name, read_param) for name in params})
    always = tuple(read_constant(one) for one in table.tables("always"))
    kinds = {place.where for place in places.values()} | {one.where for one in always}
    send_json = table.flag("send_json")
    if "form" in kinds and (send_json or "json" in kinds):
        raise table.fail("params", "must not mix json and form: a request has one body")
    method = table.choice("method", "GET", "POST", "PUT", "PATCH", "DELETE")
    return sections.Call(method, send_json, always, MappingProxyType(places))


def read_url(table: TomlTable, key: str, *, empty: bool = False) -> str:
    """An address with placeholders for the server values that Align's support hands out."""
    value = table.text(key, empty=empty)
    for name in re.findall(r"\{([^}]*)\}", value):
        if name not in PLACEHOLDERS:
            raise table.fail(key, f"holds {{{name}}}; known are {', '.join(PLACEHOLDERS)}")
    return value


def read_tokens(table: TomlTable) -> sections.Paths:
    """Where an answer holds a token set; the life time may be left out."""
    return MappingProxyType(table.paths(*sections.TOKEN_FIELDS, required=("access_token", "refresh_token")))


def read_oauth(table: TomlTable) -> sections.OAuth:
    """The authorization server."""
    return sections.OAuth(
        authorize_url=read_url(table, "authorize_url"),
        token_url=read_url(table, "token_url"),
        revoke_url=read_url(table, "revoke_url"),
        scope=table.text("scope"),
        client_auth=table.choice("client_auth", "body", "basic"),
        pkce=table.flag("pkce"),
        default_expires_in=table.integer("default_expires_in", 60, 86_400),
        tokens=table.read("tokens", read_tokens),
        authorize_extra=MappingProxyType(table.read("authorize_extra", TomlTable.strings)),
        token_extra=MappingProxyType(table.read("token_extra", TomlTable.strings)),
        refresh_extra=MappingProxyType(table.read("refresh_extra", TomlTable.strings)),
        revoke_extra=MappingProxyType(table.read("revoke_extra", TomlTable.strings)),
    )


def read_errors(table: TomlTable) -> sections.Errors:
    """Error answers."""
    return sections.Errors(
        code=table.path("code"),
        oauth_code=table.path("oauth_code"),
        invalid_grant=table.texts("invalid_grant", empty=False),
        invalid_client=table.texts("invalid_client"),
        access_denied=table.texts("access_denied", empty=False),
        known=table.texts("known"),
        request_id_header=table.text("request_id_header"),
    )


def read_discovery(table: TomlTable) -> sections.DiscoveryCall:
    """Discovery."""
    names = table.read("names", lambda inner: {name: inner.text(name) for name in sections.ENDPOINTS})
    fixed = table.read("fixed", lambda inner: {name: inner.text(name) for name in sections.ENDPOINTS})
    return sections.DiscoveryCall(
        url=read_url(table, "url"),
        call=read_call(table),
        region=table.path("region"),
        urls=table.path("urls"),
        names=MappingProxyType(names),
        fixed=MappingProxyType(fixed),
    )


def read_accounts(table: TomlTable) -> sections.AccountsCall:
    """Get Accounts."""
    fields = table.read("fields", lambda inner: inner.paths(*sections.ACCOUNT_FIELDS, required=("account_id",)))
    return sections.AccountsCall(read_call(table), table.path("items"), MappingProxyType(fields))


def read_orders(table: TomlTable) -> sections.OrdersCall:
    """Get Orders."""
    style = table.choice("style", "page", "offset", "next")
    return sections.OrdersCall(
        call=read_call(table, "page", "offset", "size"),
        items=table.path("items"),
        style=style,
        size=table.integer("page_size", 1, 1000),
        first_page=table.integer("first_page", 0, 1),
        max_pages=table.integer("max_pages", 1, 100_000),
        total_pages=table.path("total_pages"),
        total_count=table.path("total_count"),
        next_link=table.path("next_link", empty=style != "next"),
    )


def read_calls(table: TomlTable) -> sections.Calls:
    """Every call but those of OAuth."""
    return sections.Calls(
        discovery=table.read("discovery", read_discovery),
        get_accounts=table.read("get_accounts", read_accounts),
        pair=table.read(
            "pair", lambda t: sections.PairCall(_with_account(t, "callback_url"), t.read("tokens", read_tokens))
        ),
        unpair=table.read("unpair", _with_account),
        get_orders=table.read("get_orders", read_orders),
        get_order_by_rx_id=table.read(
            "get_order_by_rx_id", lambda t: sections.OneOrderCall(read_call(t, "rx_id"), t.path("order"))
        ),
        download_order=table.read("download_order", lambda t: read_call(t, "order_id", "asset")),
        return_to_doctor=table.read("return_to_doctor", lambda t: read_call(t, "order_id", "reason", "comment")),
    )


def _with_account(table: TomlTable, *more: str) -> sections.Call:
    return read_call(table, "account_id", *more)


def read_order(table: TomlTable) -> sections.OrderShape:
    """Where an order holds what we show."""
    required = sections.ORDER_REQUIRED
    return sections.OrderShape(
        fields=MappingProxyType(table.read("fields", lambda t: t.paths(*sections.ORDER_FIELDS, required=required))),
        treatments=table.path("treatments"),
        treatment=MappingProxyType(table.read("treatment", lambda t: t.paths(*sections.TREATMENT_FIELDS))),
        assets=table.path("assets"),
        asset=MappingProxyType(table.read("asset", lambda t: t.paths(*sections.ASSET_FIELDS, required=("kind",)))),
    )
