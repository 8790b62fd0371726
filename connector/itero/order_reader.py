"""Reading orders and accounts out of Align's answers, by the paths of the profile."""

from connector.itero.answers import Account, Asset, MalformedOrder, Order, OrderAsset, OrderPage, Treatment
from connector.itero.errors import BadAnswer
from connector.itero.profile import Profile
from connector.itero.profile_sections import ORDER_REQUIRED, AccountsCall
from connector.itero.reading import Json, day, dig, identifier, moment, pick, text, whole, yes
from connector.itero.toml_table import JsonPath

_IDS = ("order_id", "rx_id", "account_id", "doctor_id", "practice_id")
_DATES = ("due_date", "scan_date")


def read_list(answer: Json, path: JsonPath, what: str) -> list[Json]:
    """The list at a path; raises BadAnswer that names what is missing."""
    found = dig(answer, path)
    if not isinstance(found, list):
        raise BadAnswer(f"the answer has no list of {what}")
    return found


def read_accounts(answer: Json, call: AccountsCall) -> tuple[Account, ...]:
    """The accounts that have an id."""
    accounts = []
    for item in read_list(answer, call.items, "accounts"):
        values = {name: text(pick(item, path)) for name, path in call.fields.items()}
        if identifier(values["account_id"]):
            accounts.append(Account(**values))
    return tuple(accounts)


def read_page(items: list[Json], profile: Profile) -> OrderPage:
    """The orders of a page; an entry that is none is named, and does not block the others."""
    orders, malformed = [], []
    for index, item in enumerate(items):
        missing = _missing(item, profile)
        if missing:
            order_id = identifier(pick(item, profile.order.fields["order_id"])) or None
            malformed.append(MalformedOrder(index, order_id, missing))
        else:
            orders.append(_order(item, profile))
    return OrderPage(tuple(orders), tuple(malformed))


def read_order(item: Json, profile: Profile) -> Order:
    """One order; raises BadAnswer that names what is missing."""
    missing = _missing(item, profile)
    if missing:
        raise BadAnswer(f"the order has no {', '.join(missing)}")
    return _order(item, profile)


def _missing(item: Json, profile: Profile) -> tuple[str, ...]:
    return tuple(name for name in ORDER_REQUIRED if not _text(name, pick(item, profile.order.fields[name])))


def _text(name: str, value: Json) -> str:
    return identifier(value) if name in _IDS else text(value)


def _order(item: Json, profile: Profile) -> Order:
    shape = profile.order
    raw = {name: pick(item, path) for name, path in shape.fields.items()}
    texts = {name: _text(name, value) for name, value in raw.items() if name not in _DATES}
    due_date, scan_date = day(raw["due_date"], profile.formats), moment(raw["scan_date"], profile.formats)
    unread = [name for name, value in texts.items() if not value and _holds_something(raw[name])]
    unread += [
        name for name, read in (("due_date", due_date), ("scan_date", scan_date)) if not read and text(raw[name])
    ]
    return Order(
        **texts,
        due_date=due_date,
        scan_date=scan_date,
        treatments=tuple(_treatment(one, profile) for one in _items(item, shape.treatments)),
        assets=tuple(_asset(one, profile) for one in _items(item, shape.assets)),
        unread=tuple(unread),
    )


def _holds_something(value: Json) -> bool:
    """Whether a value says something, though not as the plain text that we expected."""
    return bool(text(value)) or (isinstance(value, float | dict | list) and bool(value))


def _items(item: Json, path: JsonPath) -> list[Json]:
    found = pick(item, path)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _treatment(item: Json, profile: Profile) -> Treatment:
    values = {name: text(pick(item, path)) for name, path in profile.order.treatment.items() if name != "tooth"}
    return Treatment(tooth=whole(pick(item, profile.order.treatment["tooth"])), **values)


def _asset(item: Json, profile: Profile) -> OrderAsset:
    paths = profile.order.asset
    kind = text(pick(item, paths["kind"]))
    known = {profile.assets.full: Asset.FULL, profile.assets.thumbnails: Asset.THUMBNAILS}
    ready = yes(pick(item, paths["ready"]), default=True)
    return OrderAsset(known.get(kind), kind, whole(pick(item, paths["size"])), ready)
