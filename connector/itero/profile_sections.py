"""The sections of a profile: what is not public about Align's API, as data."""

from collections.abc import Mapping
from dataclasses import dataclass

from connector.itero.toml_table import JsonPath

ENDPOINTS = ("token", "revoke", "accounts", "pair", "unpair", "orders", "order_by_rx_id", "download", "return")
TOKEN_FIELDS = ("access_token", "refresh_token", "expires_in")
ACCOUNT_FIELDS = ("account_id", "name", "kind", "address")
ORDER_FIELDS = (
    "order_id",
    "rx_id",
    "order_code",
    "status",
    "account_id",
    "patient_first",
    "patient_last",
    "chart_number",
    "doctor_id",
    "doctor_name",
    "doctor_license",
    "practice_id",
    "practice_name",
    "practice_address",
    "procedure",
    "case_type",
    "due_date",
    "scan_date",
    "updated",
    "notes",
)  # fmt: skip - twenty names read better in rows than in a column
ORDER_REQUIRED = ("order_id", "rx_id", "status")
TREATMENT_FIELDS = ("tooth", "treatment", "material", "shade_system", "incisal", "body", "gingival")
ASSET_FIELDS = ("kind", "size", "ready")

Paths = Mapping[str, JsonPath]


@dataclass(frozen=True)
class Param:
    """Where one parameter of a call goes: query, json (name may be nested with dots), form, url, or none (not sent)."""

    where: str
    name: str
    number: bool = False


@dataclass(frozen=True)
class Constant:
    """A parameter that is sent with every such call, with a fixed value."""

    where: str
    name: str
    value: str


@dataclass(frozen=True)
class Call:
    """How one call is made: its verb and where its parameters go."""

    method: str
    send_json: bool
    always: tuple[Constant, ...]
    params: Mapping[str, Param]


@dataclass(frozen=True)
class OAuth:
    """Addresses and manners of the authorization server; the parameter names themselves are those of RFC 6749."""

    authorize_url: str
    token_url: str
    revoke_url: str
    scope: str
    client_auth: str
    pkce: bool
    default_expires_in: int
    tokens: Paths
    authorize_extra: Mapping[str, str]
    token_extra: Mapping[str, str]
    refresh_extra: Mapping[str, str]
    revoke_extra: Mapping[str, str]


@dataclass(frozen=True)
class Errors:
    """Where an error answer says what is wrong, and which of its words we know."""

    code: JsonPath
    oauth_code: JsonPath
    invalid_grant: tuple[str, ...]
    invalid_client: tuple[str, ...]
    access_denied: tuple[str, ...]
    known: tuple[str, ...]
    request_id_header: str


@dataclass(frozen=True)
class DiscoveryCall:
    """Where Discovery is, and under which names it answers our endpoints ("" = not offered)."""

    url: str
    call: Call
    region: JsonPath
    urls: JsonPath
    names: Mapping[str, str]
    fixed: Mapping[str, str]


@dataclass(frozen=True)
class AccountsCall:
    """Get Accounts, and where its answer holds the accounts."""

    call: Call
    items: JsonPath
    fields: Paths


@dataclass(frozen=True)
class PairCall:
    """Pair, and where its answer holds the new tokens."""

    call: Call
    tokens: Paths


@dataclass(frozen=True)
class OrdersCall:
    """Get Orders, asked for more by page, by offset, or by following a link."""

    call: Call
    items: JsonPath
    style: str
    size: int
    first_page: int
    max_pages: int
    total_pages: JsonPath
    total_count: JsonPath
    next_link: JsonPath


@dataclass(frozen=True)
class OneOrderCall:
    """Get Order By RxID, and where its answer holds the order (the empty path: the answer is the order)."""

    call: Call
    order: JsonPath


@dataclass(frozen=True)
class Calls:
    """Every call but those of OAuth."""

    discovery: DiscoveryCall
    get_accounts: AccountsCall
    pair: PairCall
    unpair: Call
    get_orders: OrdersCall
    get_order_by_rx_id: OneOrderCall
    download_order: Call
    return_to_doctor: Call


@dataclass(frozen=True)
class OrderShape:
    """Where an order holds what we show."""

    fields: Paths
    treatments: JsonPath
    treatment: Paths
    assets: JsonPath
    asset: Paths


@dataclass(frozen=True)
class AssetNames:
    """Align's names for the two things that can be downloaded."""

    full: str
    thumbnails: str


@dataclass(frozen=True)
class Statuses:
    """Which of Align's status texts mean something to us; every other one is shown as it came."""

    without_files: frozenset[str]
    modeling_result: frozenset[str]
    with_doctor: frozenset[str]
    in_modeling: frozenset[str]

    def has_files(self, status: str) -> bool:
        """Whether an order in this status may have something to download."""
        return status.strip().casefold() not in {one.casefold() for one in self.without_files}

    def may_be_modeling_result(self, status: str) -> bool:
        """Whether an order in this status may be the result of modeling at Align."""
        return status.strip().casefold() in {one.casefold() for one in self.modeling_result}

    def is_in_modeling(self, status: str) -> bool:
        """Whether Align is modeling an order in this status."""
        return status.strip().casefold() in {one.casefold() for one in self.in_modeling}

    def is_with_doctor(self, status: str) -> bool:
        """Whether an order in this status was returned, and the doctor is scanning again."""
        return status.strip().casefold() in {one.casefold() for one in self.with_doctor}


@dataclass(frozen=True)
class Switches:
    """Behaviour of Align's cloud that is not public and that the portal must know."""

    fixed_base_url: str
    revoke_first_set: bool
    revoke: str
    thumbnails_consume: bool
    second_download: bool
    refresh_grace: bool


@dataclass(frozen=True)
class Formats:
    """How dates are written: strptime formats, or "iso"; times without an offset are in `timezone`."""

    date: tuple[str, ...]
    datetime: tuple[str, ...]
    timezone: str


@dataclass(frozen=True)
class NotificationKeys:
    """The keys of a scan notification, compared without regard to case."""

    rx_id: tuple[str, ...]
    account_id: tuple[str, ...]
