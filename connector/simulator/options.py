"""The command line, and the switches among it that can be turned while the simulator runs."""

import argparse
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from connector.simulator.dialects import DIALECTS
from connector.simulator.messages import Refusal

CHOICES = {
    "second_download": ("allow", "gone"),
    "thumbnails_consume": ("yes", "no"),
    "revoke": ("token", "grant"),
    "consume_at": ("first", "last"),
}


@dataclass
class Switches:
    """How this vendor behaves where Align's behaviour is not public; times in seconds."""

    token_lifetime: float = 3600.0
    second_download: str = "allow"
    thumbnails_consume: str = "no"
    consume_at: str = "first"  # which byte of a full download takes the order off the list
    revoke: str = "token"
    refresh_grace: float = 0.0
    rescan_after: float = 20.0
    modeling_after: float = 20.0
    new_order_every: float = 0.0
    triangles: int = 20000
    ranges: bool = True
    callback: str = ""
    redirect_uris: list[str] = field(default_factory=list)

    def turn(self, changes: dict[str, Any]) -> None:
        """Turns switches by name; 400 in words for an unknown name or value. Lists are given whole."""
        known = {item.name: getattr(self, item.name) for item in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise Refusal(400, "bad_request", f"There is no switch {name!r}; there are {', '.join(known)}.")
            setattr(self, name, _fitting(name, value, type(known[name])))


def _fitting(name: str, value: Any, kind: type) -> Any:
    if name in CHOICES and value not in CHOICES[name]:
        raise Refusal(400, "bad_request", f"{name} is one of {', '.join(CHOICES[name])}.")
    if kind is list and not isinstance(value, list):
        raise Refusal(400, "bad_request", f"{name} must be a list.")
    if kind is bool and isinstance(value, str):
        return value in {"on", "yes", "true", "1"}
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise Refusal(400, "bad_request", f"{name} must be of kind {kind.__name__}.") from None


@dataclass(frozen=True)
class Options:
    """What is fixed for the life of the process."""

    host: str
    port: int
    state: Path | None
    cases: Path
    dialect: str
    paging: str
    client_id: str
    client_secret: str
    switches: Switches


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m connector.simulator", description="A stand-in for Align's cloud.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000, help="0 takes any free port")
    parser.add_argument("--state", type=Path, help="JSON snapshot that a restart reads again")
    parser.add_argument("--cases", type=Path, required=True, help="folder for the zips")
    parser.add_argument("--dialect", choices=sorted(DIALECTS), default="assumed")
    parser.add_argument("--paging", choices=("page", "offset", "next"), help="default: the dialect's own")
    parser.add_argument("--client-id", default="demo-lab-portal")
    parser.add_argument("--client-secret", default="demo-secret")
    parser.add_argument("--redirect-uri", action="append", default=[], help="exact; may be repeated")
    parser.add_argument("--callback", default="", help="installation-wide address for scan notifications")
    parser.add_argument("--no-range", action="store_true")
    _add_switches(parser)
    return parser


def _add_switches(parser: argparse.ArgumentParser) -> None:
    standard = Switches()
    for name, choices in CHOICES.items():
        parser.add_argument(f"--{name.replace('_', '-')}", choices=choices, default=getattr(standard, name))
    for name in ("token_lifetime", "refresh_grace", "rescan_after", "modeling_after", "new_order_every"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=getattr(standard, name))
    parser.add_argument("--triangles", type=int, default=standard.triangles, help="per jaw")


def parse(arguments: list[str] | None = None) -> Options:
    """Reads the command line; exits with a usage text when it is wrong."""
    given = vars(_parser().parse_args(arguments))
    names = {item.name for item in fields(Switches)} & set(given)
    switches = Switches(
        **{name: given[name] for name in names}, ranges=not given["no_range"], redirect_uris=given["redirect_uri"]
    )
    return Options(
        host=given["host"],
        port=given["port"],
        state=given["state"],
        cases=given["cases"],
        dialect=given["dialect"],
        paging=given["paging"] or DIALECTS[given["dialect"]].default_paging,
        client_id=given["client_id"],
        client_secret=given["client_secret"],
        switches=switches,
    )
