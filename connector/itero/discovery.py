"""Reading Discovery's answer, or doing without it."""

from collections.abc import Callable

from connector.itero.addresses import AllowedHosts
from connector.itero.answers import Endpoints
from connector.itero.errors import BadAnswer
from connector.itero.profile_sections import DiscoveryCall
from connector.itero.reading import Json, dig, pick, text

# Both are known from the server values as well, so Discovery may leave them out.
_OPTIONAL = ("token", "revoke")


def read_endpoints(answer: Json, call: DiscoveryCall, hosts: AllowedHosts) -> Endpoints:
    """The addresses by our names; HostNotAllowed for one not on the list, BadAnswer that names a missing one."""
    found = dig(answer, call.urls)
    urls = {ours: text(pick(found, (theirs,))) for ours, theirs in call.names.items() if theirs}
    missing = [ours for ours, url in urls.items() if not url and ours not in _OPTIONAL]
    if missing:
        raise BadAnswer(f"Discovery gave no address for {', '.join(missing)}")
    urls = {ours: url for ours, url in urls.items() if url}
    for url in urls.values():
        hosts.check(url)
    return Endpoints(text(pick(answer, call.region)), urls)


def fixed_endpoints(call: DiscoveryCall, expand: Callable[[str], str]) -> Endpoints:
    """The addresses that the profile fixes."""
    return Endpoints("", {ours: expand(template) for ours, template in call.fixed.items() if template})
