"""Tokens at rest: the sealed text names its key, belongs to one row of one lab, and a wrong one raises."""

import uuid

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command

from connector.pairing.models import Pairing
from labportal.labs.tenancy import in_lab
from labportal.rotation import Rotated, rotate_all
from labportal.sealing import SealError, seal, unseal
from tests.align import again, change, pair_lab

LAB, ROW = uuid.uuid4(), uuid.uuid4()
VALUES = {"access": "secret-of-align"}


def key(name):
    return f"{name}:{Fernet.generate_key().decode()}"


def test_the_sealed_text_names_its_key_and_holds_no_value(settings):
    settings.TOKEN_KEYS = [key("2026a")]
    sealed = seal(VALUES, lab_id=LAB, owner_id=ROW)
    assert sealed.startswith("2026a:")
    assert "secret-of-align" not in sealed
    assert unseal(sealed, lab_id=LAB, owner_id=ROW) == VALUES


def test_the_first_key_seals_and_all_open(settings):
    old, new = key("old"), key("new")
    settings.TOKEN_KEYS = [old]
    sealed = seal(VALUES, lab_id=LAB, owner_id=ROW)
    settings.TOKEN_KEYS = [new, old]
    assert unseal(sealed, lab_id=LAB, owner_id=ROW) == VALUES
    assert seal(VALUES, lab_id=LAB, owner_id=ROW).startswith("new:")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda text: text.replace("a:", "b:", 1), "unknown_key"),
        (lambda text: text.partition(":")[2], "unknown_key"),
        (lambda text: "", "unknown_key"),
        (lambda text: "secret-of-align", "unknown_key"),
        (lambda text: text[:-6], "broken"),
        (lambda text: "a:", "broken"),
        (lambda text: "a:secret-of-align", "broken"),
    ],
)
def test_a_text_that_cannot_be_opened_raises_and_never_counts_as_the_value(settings, spoil, code):
    settings.TOKEN_KEYS = [key("a")]
    with pytest.raises(SealError, match=code) as refused:
        unseal(spoil(seal(VALUES, lab_id=LAB, owner_id=ROW)), lab_id=LAB, owner_id=ROW)
    assert "secret" not in str(refused.value)


def test_a_text_of_a_key_of_the_same_name_but_other_value_is_broken(settings):
    settings.TOKEN_KEYS = [key("a")]
    sealed = seal(VALUES, lab_id=LAB, owner_id=ROW)
    settings.TOKEN_KEYS = [key("a")]
    with pytest.raises(SealError, match="broken"):
        unseal(sealed, lab_id=LAB, owner_id=ROW)


@pytest.mark.parametrize(
    "place", [{"lab_id": uuid.uuid4(), "owner_id": ROW}, {"lab_id": LAB, "owner_id": uuid.uuid4()}]
)
def test_a_text_copied_to_another_lab_or_row_is_refused(settings, place):
    settings.TOKEN_KEYS = [key("a")]
    with pytest.raises(SealError, match="foreign"):
        unseal(seal(VALUES, lab_id=LAB, owner_id=ROW), **place)


def test_without_any_key_nothing_is_sealed(settings):
    settings.TOKEN_KEYS = []
    with pytest.raises(SealError, match="no_key"):
        seal(VALUES, lab_id=LAB, owner_id=ROW)


def test_tokens_copied_to_another_labs_pairing_do_not_open_there(anna, bruno, align):
    mine, theirs = pair_lab(anna, align, "479"), pair_lab(bruno, align, "480")
    change(theirs, sealed_tokens=mine.sealed_tokens)
    with pytest.raises(SealError, match="foreign"):
        _ = again(theirs).tokens


# --- rotation


def test_rotation_moves_all_rows_of_all_labs_and_then_the_old_key_can_go(anna, bruno, align, settings, capsys):
    pairings = [pair_lab(anna, align, "479"), pair_lab(bruno, align, "480")]
    before = [pairing.tokens for pairing in pairings]
    new = key("new")
    settings.TOKEN_KEYS = [new, *settings.TOKEN_KEYS]
    call_command("rotate_keys")
    assert capsys.readouterr().out.startswith("2 sealed with the newest key; 0 could not be opened")
    settings.TOKEN_KEYS = [new]
    after = [again(pairing) for pairing in pairings]
    assert [pairing.tokens for pairing in after] == before
    assert all(pairing.sealed_tokens.startswith("new:") for pairing in after)


def test_without_rotation_the_old_key_cannot_go(paired, settings):
    """The control of the test above."""
    settings.TOKEN_KEYS = [key("new")]
    with pytest.raises(SealError, match="unknown_key"):
        _ = again(paired).tokens


def test_rotation_a_second_time_touches_nothing(paired, settings):
    settings.TOKEN_KEYS = [key("new"), *settings.TOKEN_KEYS]
    assert rotate_all() == Rotated(1, 0, 0)
    before = again(paired).sealed_tokens
    assert rotate_all() == Rotated(0, 0, 0)
    assert again(paired).sealed_tokens == before


def test_a_row_that_cannot_be_opened_is_counted_and_left_alone(anna, align, cast, settings):
    lost, fine = pair_lab(anna, align, "479"), pair_lab(anna, align, "480")
    change(lost, sealed_tokens="lost:gAAAA")
    settings.TOKEN_KEYS = [key("new"), *settings.TOKEN_KEYS]
    assert rotate_all() == Rotated(1, 1, 0)
    assert again(lost).sealed_tokens == "lost:gAAAA"
    assert again(fine).sealed_tokens.startswith("new:")


def test_a_pairing_without_tokens_is_no_trouble(committed, cast, settings):
    with in_lab(cast.lab_a.pk):
        Pairing.objects.create(lab=cast.lab_a, account_id="1", account_name="Ended", state="unpaired")
    settings.TOKEN_KEYS = [key("new"), *settings.TOKEN_KEYS]
    assert rotate_all() == Rotated(0, 0, 0)
