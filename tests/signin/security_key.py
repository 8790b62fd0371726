"""A person's security key: WebAuthn's messages, so that a test says whether the key asked for its PIN."""

import base64
import hashlib
import json
import os
from urllib.parse import urlsplit

from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from fido2 import cbor
from fido2.cose import ES256

from labportal.labs.models import User

TOUCHED, ASKED, NEW_KEY = 0x01, 0x04, 0x40


class SecurityKey:
    """Registered for one person."""

    def __init__(self, owner: User) -> None:
        self._private, self._id = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        self._handle = user_pk_to_url_str(owner).encode()
        data = {"name": "Key", "credential": self._registration()}
        Authenticator.objects.create(user=owner, type=Authenticator.Type.WEBAUTHN, data=data)

    def answer(self, challenge: str, *, asked: bool) -> str:
        """What the browser posts. `asked`: the key asked for its PIN; else it was only touched."""
        data, client = _data(TOUCHED | (ASKED if asked else 0)), _client("webauthn.get", challenge)
        signature = self._private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {"clientDataJSON": client, "authenticatorData": data, "signature": signature}
        return json.dumps(self._message(response | {"userHandle": self._handle}))

    def _registration(self) -> dict[str, object]:
        public = cbor.encode(dict(ES256.from_cryptography_key(self._private.public_key())))
        data = _data(TOUCHED | ASKED | NEW_KEY) + bytes(16) + len(self._id).to_bytes(2, "big") + self._id + public
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        return self._message({"clientDataJSON": _client("webauthn.create", "AAAA"), "attestationObject": attestation})

    def _message(self, response: dict[str, bytes]) -> dict[str, object]:
        return {
            "id": _text(self._id), "rawId": _text(self._id), "type": "public-key", "clientExtensionResults": {},
            "response": {name: _text(value) for name, value in response.items()},
        }  # fmt: skip


def _data(flags: int) -> bytes:
    name = urlsplit(settings.BASE_URL).hostname or ""
    return hashlib.sha256(name.encode()).digest() + bytes([flags]) + bytes(4)


def _client(kind: str, challenge: str) -> bytes:
    origin = f"https://{urlsplit(settings.BASE_URL).hostname}"
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin}).encode()


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
