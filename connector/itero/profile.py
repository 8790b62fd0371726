"""The profile: one TOML file that says how Align's API is spelled, loaded and checked before any call is made."""

import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from connector.itero import profile_readers as readers
from connector.itero import profile_sections as sections
from connector.itero.addresses import Origin, read_origin
from connector.itero.errors import HostNotAllowed, ProfileError
from connector.itero.toml_table import TomlTable

ASSUMED = Path(__file__).parent / "profiles" / "assumed.toml"


@dataclass(frozen=True)
class Profile:
    """Everything about Align's API that is not public; docs/profile.md explains each key."""

    name: str
    extra_hosts: frozenset[Origin]
    switches: sections.Switches
    statuses: sections.Statuses
    oauth: sections.OAuth
    errors: sections.Errors
    calls: sections.Calls
    order: sections.OrderShape
    assets: sections.AssetNames
    formats: sections.Formats
    notification: sections.NotificationKeys


def load_profile(path: str | Path | None = None) -> Profile:
    """Read a profile file (the assumed one by default); raises ProfileError that names the wrong key."""
    file = Path(path) if path else ASSUMED
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProfileError(f"profile: the file {file} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProfileError(f"profile: {file.name} is not a TOML file: {error}") from error
    top = TomlTable(values)
    profile = _read_profile(top)
    top.finish()
    return profile


def _read_profile(top: TomlTable) -> Profile:
    switches = top.read("switches", _read_switches)
    calls = top.read("calls", readers.read_calls)
    if switches.fixed_base_url and not all(calls.discovery.fixed[name] for name in calls.discovery.names):
        raise top.fail("calls.discovery.fixed", "must give every address while switches.fixed_base_url is set")
    return Profile(
        name=top.text("name", empty=False),
        extra_hosts=top.read("hosts", _read_hosts),
        switches=switches,
        statuses=top.read("statuses", _read_statuses),
        oauth=top.read("oauth", readers.read_oauth),
        errors=top.read("errors", readers.read_errors),
        calls=calls,
        order=top.read("order", readers.read_order),
        assets=top.read("assets", _read_assets),
        formats=top.read("formats", _read_formats),
        notification=top.read("notification", _read_notification),
    )


def _read_hosts(table: TomlTable) -> frozenset[Origin]:
    return frozenset(_origin(table, "extra", one) for one in table.texts("extra"))


def _origin(table: TomlTable, key: str, url: str) -> Origin:
    try:
        origin = read_origin(url)
    except HostNotAllowed as error:
        raise table.fail(key, f"must be written like https://host:443; {error.detail}") from None
    if url.partition("://")[2].strip("/").count("/"):
        raise table.fail(key, "must be a scheme, a host and a port, without a path")
    return origin


def _read_switches(table: TomlTable) -> sections.Switches:
    fixed = table.text("fixed_base_url").rstrip("/")
    if fixed:
        try:
            read_origin(fixed)
        except HostNotAllowed as error:
            raise table.fail("fixed_base_url", f"must be an address; {error.detail}") from None
    return sections.Switches(
        fixed_base_url=fixed,
        revoke_first_set=table.flag("revoke_first_set"),
        revoke=table.choice("revoke", "token", "grant"),
        thumbnails_consume=table.flag("thumbnails_consume"),
        second_download=table.flag("second_download"),
        refresh_grace=table.flag("refresh_grace"),
    )


def _read_statuses(table: TomlTable) -> sections.Statuses:
    return sections.Statuses(
        without_files=frozenset(table.texts("without_files")),
        modeling_result=frozenset(table.texts("modeling_result")),
        with_doctor=frozenset(table.texts("with_doctor")),
        in_modeling=frozenset(table.texts("in_modeling")),
    )


def _read_assets(table: TomlTable) -> sections.AssetNames:
    return sections.AssetNames(table.text("full", empty=False), table.text("thumbnails", empty=False))


def _read_notification(table: TomlTable) -> sections.NotificationKeys:
    return sections.NotificationKeys(table.texts("rx_id", empty=False), table.texts("account_id"))


def _read_formats(table: TomlTable) -> sections.Formats:
    formats = sections.Formats(
        table.texts("date", empty=False), table.texts("datetime", empty=False), table.text("timezone", empty=False)
    )
    for key, patterns in (("date", formats.date), ("datetime", formats.datetime)):
        for pattern in patterns:
            if pattern != "iso" and not _is_format(pattern):
                raise table.fail(key, f'must hold "iso" or strptime formats such as %m/%d/%Y, not {pattern}')
    try:
        if formats.timezone != "UTC":  # which needs no zone files; a bare machine may have none
            ZoneInfo(formats.timezone)
    except (OSError, ValueError, KeyError):
        raise table.fail("timezone", "must be a time zone's name such as UTC or America/New_York") from None
    return formats


def _is_format(pattern: str) -> bool:
    """Whether strptime reads what strftime writes with it, to the day."""
    sample = datetime(2026, 11, 24)
    try:
        return datetime.strptime(sample.strftime(pattern), pattern).date() == sample.date()
    except ValueError:
        return False
