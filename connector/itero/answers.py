"""What Align's answers say, as frozen records; an absent text is "", an absent number or date is None."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

from connector.itero.errors import NotFound


class Asset(enum.Enum):
    """The two things that can be downloaded of an order."""

    FULL = "full"
    THUMBNAILS = "thumbnails"


@dataclass(frozen=True)
class TokenSet:
    """An access token with the refresh token that renews it; `expires_in` is in seconds."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True)
class Endpoints:
    """The addresses that Discovery gave for a region, by our names (`token`, `orders`, `download` …)."""

    region: str
    urls: Mapping[str, str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "urls", MappingProxyType(dict(self.urls)))

    def __hash__(self) -> int:
        return hash((self.region, tuple(sorted(self.urls.items()))))

    def __reduce__(self) -> tuple[type["Endpoints"], tuple[str, dict[str, str]]]:
        return (Endpoints, (self.region, dict(self.urls)))  # the read-only mapping itself cannot be pickled

    def url(self, name: str) -> str:
        """One address; raises NotFound when the region does not offer it."""
        if not self.urls.get(name):
            raise NotFound(f"Discovery gave no address for {name}")
        return self.urls[name]

    def to_json(self) -> dict[str, object]:
        """A plain dict for a JSON column."""
        return {"region": self.region, "urls": dict(self.urls)}

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> "Endpoints":
        """The inverse of `to_json`; raises ValueError when it is something else."""
        region, urls = stored.get("region"), stored.get("urls")
        if not isinstance(region, str) or not isinstance(urls, Mapping):
            raise ValueError("these are not stored endpoints")
        return cls(region, {str(name): str(url) for name, url in urls.items()})


@dataclass(frozen=True)
class Account:
    """An account at Align that the user may pair to."""

    account_id: str
    name: str = ""
    kind: str = ""
    address: str = ""


@dataclass(frozen=True)
class Treatment:
    """What the doctor wants for one tooth (ADA number, None when not for one tooth)."""

    tooth: int | None = None
    treatment: str = ""
    material: str = ""
    shade_system: str = ""
    incisal: str = ""
    body: str = ""
    gingival: str = ""


@dataclass(frozen=True)
class OrderAsset:
    """Something to download: `asset` is None for a kind we do not know, `size` is in bytes."""

    asset: Asset | None
    kind: str
    size: int | None = None
    ready: bool = True


@dataclass(frozen=True)
class Order:
    """One order's metadata; `updated` is Align's text, for comparing only; `unread` names values we could not read."""

    order_id: str
    rx_id: str
    status: str
    order_code: str = ""
    account_id: str = ""
    patient_first: str = field(default="", repr=False)
    patient_last: str = field(default="", repr=False)
    chart_number: str = field(default="", repr=False)
    doctor_id: str = ""
    doctor_name: str = field(default="", repr=False)
    doctor_license: str = field(default="", repr=False)
    practice_id: str = ""
    practice_name: str = field(default="", repr=False)
    practice_address: str = field(default="", repr=False)
    procedure: str = ""
    case_type: str = ""
    due_date: date | None = None
    scan_date: datetime | None = None
    updated: str = ""
    notes: str = field(default="", repr=False)
    treatments: tuple[Treatment, ...] = ()
    assets: tuple[OrderAsset, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True)
class MalformedOrder:
    """An entry of Get Orders without what an order must have; `index` counts from 0 on its page."""

    index: int
    order_id: str | None
    missing: tuple[str, ...]


@dataclass(frozen=True)
class OrderPage:
    """One page of Get Orders: the orders, and the entries that could not be read as one."""

    orders: tuple[Order, ...]
    malformed: tuple[MalformedOrder, ...]


@dataclass(frozen=True)
class ScanNotification:
    """A push from Align: only a reason to go and look, never to be trusted."""

    rx_id: str
    account_id: str | None
