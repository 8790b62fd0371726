"""A wrong profile is refused by the name of its key, and every key is explained."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.itero import ProfileError, load_profile
from connector.itero.profile import ASSUMED

ROOT = Path(__file__).parents[2]
CONTRACT = Path(__file__).with_name("contract.toml")
TEXT = ASSUMED.read_text(encoding="utf-8")


def keys(table: dict[str, object], at: str = "") -> Iterator[str]:
    """Every key from the top; the inside of a parameter's { where, name, as } is one matter."""
    for name, value in table.items():
        key = f"{at}{name}"
        yield key
        if isinstance(value, dict) and set(value) != {"where", "name", "as"}:
            yield from keys(value, f"{key}.")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("pkce = true", 'pkce = "yes"', "oauth.pkce must be true or false"),
        ("pkce = true", "", "oauth.pkce is missing"),
        ("pkce = true", "pkce = true\npcke = true", "oauth.pcke is not a key"),
        ('client_auth = "body"', 'client_auth = "magic"', "oauth.client_auth must be one of body, basic"),
        ('style = "page"', 'style = "pages"', "calls.get_orders.style must be one of page, offset, next"),
        ("page_size = 100", "page_size = 0", "calls.get_orders.page_size must be a whole number from 1 to 1000"),
        ('order_id = "orderId"', 'order_id = ""', "order.fields.order_id must not be empty"),
        ('= "patient.firstName"', '= "patient..firstName"', "order.fields.patient_first must be names joined"),
        ("{baseUrl}/api/v2/discovery", "{baseURL}/x", "calls.discovery.url holds {baseURL}"),
        ("extra = []", 'extra = ["api.example"]', "hosts.extra must be written like"),
        ("extra = []", 'extra = ["https://api.example/v2/x"]', "hosts.extra must be a scheme, a host and a port"),
        ('timezone = "UTC"', 'timezone = "Mars"', "formats.timezone must be a time zone"),
        ('date = ["iso"]', 'date = ["%H"]', "formats.date must hold"),
        ('revoke = "token"', 'revoke = "all"', "switches.revoke must be one of token, grant"),
        (
            'where = "url", name = "rxId"',
            'where = "body", name = "rxId"',
            "calls.get_order_by_rx_id.params.rx_id.where",
        ),
        ("[notification]", "[notifications]", "notification is missing"),
        (
            'account_id = { where = "json", name = "accountId"',
            'account_id = { where = "form", name = "x"',
            "must not mix json and form",
        ),
    ],
)  # fmt: skip - a table
def test_a_wrong_key_is_named_in_words(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in TEXT
    file = tmp_path / "mine.toml"
    file.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ProfileError) as caught:
        load_profile(file)
    assert complaint in str(caught.value)


def test_a_file_that_is_missing_or_not_toml_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot be read"):
        load_profile(tmp_path / "none.toml")
    (tmp_path / "x.toml").write_text("a = ", encoding="utf-8")
    with pytest.raises(ProfileError, match="not a TOML file"):
        load_profile(tmp_path / "x.toml")


def test_a_fixed_base_url_needs_every_address(tmp_path: Path) -> None:
    file = tmp_path / "fixed.toml"
    text = CONTRACT.read_text(encoding="utf-8").replace('fixed_base_url = ""', 'fixed_base_url = "https://api.example"')
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError, match=r"calls\.discovery\.fixed"):
        load_profile(file)


def test_both_dialects_have_the_same_keys() -> None:
    extra = {"oauth.revoke_extra.token_type_hint"}
    assert set(keys(tomllib.loads(CONTRACT.read_text(encoding="utf-8")))) == set(keys(tomllib.loads(TEXT))) | extra


def test_the_second_dialect_spells_nearly_everything_otherwise() -> None:
    ours, theirs = load_profile(), load_profile(CONTRACT)
    assert not set(ours.order.fields.values()) & set(theirs.order.fields.values())
    assert not set(ours.calls.discovery.names.values()) & set(theirs.calls.discovery.names.values())


@pytest.mark.parametrize("key", sorted(set(keys(tomllib.loads(TEXT)))))
def test_every_key_is_explained_to_the_lab(key: str) -> None:
    assert f"`{key}`" in (ROOT / "docs" / "profile.md").read_text(encoding="utf-8")


def test_every_table_of_the_assumed_file_is_commented() -> None:
    groups = [group for group in TEXT.split("\n\n") if "=" in group]
    # A call's params are explained once, above the calls; an account's fields by the comment on its list.
    explained_above = (".params]", "[calls.get_accounts.fields]")
    assert [group for group in groups if "#" not in group and not any(one in group for one in explained_above)] == []
