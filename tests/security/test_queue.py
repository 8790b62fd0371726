"""The task queue pickles what it runs, so it opens only what this portal has signed."""

import base64
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.core.signing import BadSignature, TimestampSigner
from django_q.signing import SignedPackage


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (self.folder,)


def packed(what: object, key: str) -> str:
    text = b"." + base64.urlsafe_b64encode(zlib.compress(pickle.dumps(what))).rstrip(b"=")
    return TimestampSigner(key=key, salt="django_q.q").sign(text.decode())


def test_a_task_that_this_portal_did_not_sign_is_never_unpickled(settings: Any, tmp_path: Path) -> None:
    folder = tmp_path / "opened"
    forged = packed(Trap(str(folder)), "another key" * 8)
    with pytest.raises(BadSignature):
        SignedPackage.loads(forged)
    assert not folder.exists()


def test_control_a_trap_that_is_signed_with_our_key_goes_off(settings: Any, tmp_path: Path) -> None:
    folder = tmp_path / "opened"
    SignedPackage.loads(SignedPackage.dumps(Trap(str(folder))))
    assert folder.exists()


def test_nor_one_whose_letters_were_changed() -> None:
    good = SignedPackage.dumps({"id": "1"})
    with pytest.raises(BadSignature):
        SignedPackage.loads(good[:-1] + ("A" if good[-1] != "A" else "B"))
