"""Reading a scan notification, which anyone could have sent."""

from collections.abc import Mapping

from connector.itero.answers import ScanNotification
from connector.itero.errors import BadAnswer, BadNotification
from connector.itero.profile import Profile
from connector.itero.reading import Json, identifier, parse_json, text

BODY_MAX = 16 * 1024


def read_notification(body: bytes, profile: Profile) -> ScanNotification:
    """The RxID and, if given, the account number; keys in any case; raises BadNotification for anything else."""
    if len(body) > BODY_MAX:
        raise BadNotification("the body is larger than 16 kB")
    try:
        found: Json = parse_json(body)
    except BadAnswer:
        found = None
    if not isinstance(found, Mapping):
        raise BadNotification("the body is not a JSON object")
    values = {str(key).casefold(): value for key, value in found.items()}
    rx_id = _first(values, profile.notification.rx_id)
    if not identifier(rx_id):
        raise BadNotification("the body has no RxID")
    account = _first(values, profile.notification.account_id)
    if text(account) != identifier(account) or isinstance(account, float | dict | list):
        raise BadNotification("the account number is not one")
    return ScanNotification(identifier(rx_id), identifier(account) or None)


def _first(values: Mapping[str, Json], keys: tuple[str, ...]) -> Json:
    return next((values[key.casefold()] for key in keys if key.casefold() in values), None)
