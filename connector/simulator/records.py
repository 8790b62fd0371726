"""What the vendor knows: accounts, log-ins, tokens, orders. Times are seconds since the epoch by the vendor's clock."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class User:
    """A MyiTero log-in and the accounts it may work for."""

    username: str
    password: str
    accounts: tuple[int, ...]


@dataclass
class Account:
    """A lab at the vendor; `pairing` names the live pairing and is None when there is none."""

    account_id: int
    name: str
    address: str
    region: str
    kind: str = "Lab"
    pairing: str | None = None
    callback: str | None = None


@dataclass
class Code:
    """An authorization code: single use, short-lived, bound to client, redirect URI and challenge."""

    value: str
    client_id: str
    redirect_uri: str
    challenge: str | None
    username: str
    login: str
    expires: float
    family: str | None = None  # set when exchanged; a second exchange ends this family


@dataclass
class Family:
    """The chain of token sets that grew from one exchange or one Pair; `login` ties the families of one consent."""

    family_id: str
    login: str
    username: str
    account_id: int | None = None
    pairing: str | None = None
    ended: str = ""  # why it ended, empty while it lives


@dataclass
class Token:
    """One access or refresh token."""

    value: str
    family: str
    kind: str
    expires: float | None = None
    used: float | None = None
    revoked: bool = False


@dataclass
class Revision:
    """One appearance of an order with its own files, and what became of those files."""

    number: int
    status: str
    updated: float
    sha256_full: str
    sha256_thumbnails: str
    size: int
    size_thumbnails: int
    consumed: bool = False
    started: bool = False
    acknowledged: bool = False
    downloads: int = 0
    thumbnail_downloads: int = 0


@dataclass
class Returned:
    """A return to the doctor, in the lab's words."""

    at: float
    revision: int
    reason: str
    comment: str
    by: str


@dataclass
class Step:
    """What happens next to an order by itself, and when."""

    what: str
    due: float


@dataclass
class Order:
    """One order; seed, family, triangles and patient are the recipe that its files are made from."""

    order_id: str
    rx_id: str
    account_id: int
    seed: int
    family: str
    triangles: int
    patient: tuple[str, str, str]
    scanned: float
    status: str
    updated: float
    zip_kind: str = "normal"
    malformed: bool = False
    next_step: Step | None = None
    revisions: list[Revision] = field(default_factory=list)
    returns: list[Returned] = field(default_factory=list)

    @property
    def latest(self) -> Revision:
        return self.revisions[-1]


@dataclass
class Notification:
    """A scan notification and every answer it got: an HTTP status, or the name of what went wrong."""

    rx_id: str
    account_id: int
    url: str
    answers: list[int | str] = field(default_factory=list)
    delivered: bool = False
