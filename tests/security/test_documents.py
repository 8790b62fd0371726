"""docs/security.md says what is: its figures are the code's, and nothing is missing from its inventories."""

import re
from pathlib import Path
from typing import Any

import pytest
from allauth.account import app_settings as allauth_limits
from allauth.mfa import app_settings as mfa
from django.apps import apps
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.urls import URLPattern, URLResolver, get_resolver

from connector.break_glass.services import MINUTES
from connector.intake.leases import AT_ONCE as DOWNLOADS_AT_ONCE
from connector.intake.notifications import RX_ID_MAX
from connector.lms.authentication import KeyThrottle
from connector.orders.downloads import AT_ONCE as CASES_AT_ONCE
from connector.scans.limits import GIB, LIMITS
from labportal.running.clock import WRONG
from labportal.running.web import gunicorn
from labportal.shedding import PUSHES_AT_ONCE
from labportal.signin.in_time import AT_ONCE as PROVIDERS_AT_ONCE
from labportal.signin.outgoing import LARGEST, TIMEOUT
from labportal.signin.passwords import LEAST_OF_ONES_OWN

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
PLAIN = re.sub(r"\s+", " ", TEXT)
SETTINGS = (ROOT / "labportal" / "settings.py").read_text(encoding="utf-8")


def chapter(heading: str) -> str:
    return TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def least_length() -> int:
    validators: Any = settings.AUTH_PASSWORD_VALIDATORS  # the plugin takes its entries for bare objects
    for each in validators:
        if each["NAME"].endswith("MinimumLengthValidator"):
            return int(each["OPTIONS"]["min_length"])
    raise AssertionError


# What the document says, with its figure → the figure in the code.
FIGURES: dict[str, object] = {
    r"\*\*Passwords\*\*: (\d+) characters or more": least_length(),
    r"fewer than (\d+) letters are left": LEAST_OF_ONES_OWN,
    r"end after (\d+) minutes without use": settings.SESSION_IDLE_MINUTES,
    r"after (\d+) hours in any case": settings.SESSION_MAX_HOURS,
    r"A confirmation holds (\d+) minutes": settings.ACCOUNT_REAUTHENTICATION_TIMEOUT // 60,
    r"the link lives (\d+) minutes": settings.PASSWORD_RESET_TIMEOUT // 60,
    r"PBKDF2-HMAC-SHA-256, ([\d,]+) rounds": f"{PBKDF2PasswordHasher.iterations:,}",
    r"(\d+) requests a minute, 2 live": KeyThrottle.per_minute,
    r"Per person: (\d+) invitations an hour": int(settings.ACCOUNT_RATE_LIMITS["invite"].split("/")[0]),
    r"Per installation: (\d+) of a web process's 12": PUSHES_AT_ONCE,
    r"of a web process's (\d+) threads": int(gunicorn(1)[gunicorn(1).index("--threads") + 1]),
    r"before the proxy's (\d+) s": int(gunicorn(1)[gunicorn(1).index("--timeout") + 1]),
    r"zips of several cases \((\d+) at once": CASES_AT_ONCE,
    r"an id of (\d+) characters": RX_ID_MAX,
    r"of any content: (\d+) GB": LIMITS.file_size // GIB,
    r"GB, (\d+) members": LIMITS.members,
    r"members, (\d+) GB unpacked": LIMITS.inflated // GIB,
    r"unpacked, ratio (\d+) at most": LIMITS.ratio,
    r"no redirect; (\d+) KB": LARGEST // 1024,
    r"KB; (\d+) s in all": sum(TIMEOUT),
    r"for pushes, (\d+) for calls to labs' providers": PROVIDERS_AT_ONCE,
    r"codes \| (\d+) days|alarms, failed tasks \| codes and counts \| rows \| lab, operator \| (\d+) days": 30,
    r"is more than (\d+) s off": int(WRONG),
}
# The same where the figure is a word.
WORDS: dict[str, bool] = {
    "two at once for a connection": DOWNLOADS_AT_ONCE == 2,
    "an hour at most": max(MINUTES) == 60,
    "ten failures a minute from an address, five in five minutes at a person": (
        allauth_limits.RATE_LIMITS["login_failed"] == "10/m/ip,5/300s/key"
    ),
    "five mails a minute to an address": allauth_limits.RATE_LIMITS["reset_password"].endswith("5/m/key"),
    "of the half minute before and after count too": mfa.TOTP_TOLERANCE == 1,
}


@pytest.mark.parametrize("sentence", FIGURES)
def test_a_figure_of_the_document_is_that_of_the_code(sentence: str) -> None:
    found = [next(filter(None, match.groups())) for match in re.finditer(sentence, PLAIN)]
    assert found
    assert set(found) == {str(FIGURES[sentence])}


@pytest.mark.parametrize("sentence", WORDS)
def test_a_figure_in_words_is_that_of_the_code(sentence: str) -> None:
    assert sentence in PLAIN.lower()
    assert WORDS[sentence]


def segments(patterns: list[URLPattern | URLResolver], before: str = "") -> set[str]:
    found: set[str] = set()
    for each in patterns:
        here = before + str(each.pattern)
        found |= segments(each.url_patterns, here) if isinstance(each, URLResolver) else {here.split("/")[0]}
    return found


def test_every_door_is_named() -> None:
    doors = segments(get_resolver().url_patterns)
    assert len(doors) > 15
    assert {door for door in doors if f"`{door.strip('/') or '/'}`" not in chapter("Doors")} == set()


def test_every_table_has_its_class() -> None:
    ours = {m._meta.label for m in apps.get_models() if m.__module__.startswith(("labportal.", "connector."))}
    named = set(re.findall(r"\b[a-z_]+\.[A-Z]\w+", chapter("What is worth protecting")))
    assert named == ours


def test_every_secret_stands_in_the_table_of_keys() -> None:
    secrets = set(re.findall(r'env\.str\(\s*"(\w*(?:SECRET|KEYS?|TOKEN|PASSWORD|DATABASE\w*URL))"', SETTINGS))
    assert len(secrets) > 8
    assert {name for name in secrets if f"`{name}`" not in chapter("Life of keys")} == set()


def test_every_place_that_is_called_is_named() -> None:
    places = set(
        re.findall(r'env\.str\("(ITERO_\w*(?:BASE|PAGE|URL)|DATABASE\w*URL|EMAIL_HOST|SCANS_STORAGE)"', SETTINGS)
    )
    assert len(places) == 8
    assert {name for name in places if f"`{name}`" not in chapter("Places that the portal calls")} == set()


def test_every_log_is_in_the_inventory() -> None:
    inventory = chapter("What is written down, and where")
    kept = set(re.findall(r'env\.str\("(\w*(?:ANCHORS_DIR|ERASURES_FILE))"', SETTINGS))
    assert kept == {"AUDIT_ANCHORS_DIR", "ERASURES_FILE"}
    assert {name for name in (*kept, "DATA_DIR/postgres.log") if f"`{name}`" not in inventory} == set()
    assert "standard error" in inventory  # where test_log_lines.py finds all handlers


def test_every_test_and_document_that_it_names_is_there() -> None:
    for name in re.findall(r"`(tests/[\w/{},.]+)`", TEXT):
        before, braces, after = re.fullmatch(r"([^{]*)(?:\{(.*)\}(.*))?", name).groups()  # type: ignore[union-attr]  # matches anything
        for each in braces.split(",") if braces else [""]:
            assert (ROOT / f"{before}{each}{after or ''}").exists(), name
    for name in re.findall(r"\]\(((?!http)[^)#]+)", TEXT):
        assert (ROOT / "docs" / name).exists(), name
