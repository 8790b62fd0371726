"""The text of an API key: `lp_<8 characters>_<43 of secret><6 of checksum>`, all of them digits and letters.

One can be selected by a double click, found by a scanner for leaked secrets, and a mistyped one is known without a look
into the database.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib

LETTERS = string.digits + string.ascii_letters
ID_LENGTH, CHECK_LENGTH = 8, 6
SECRET_LENGTH = 43  # 62 ** 43 > 2 ** 256
KEY = re.compile(rf"(lp_[0-9A-Za-z]{{{ID_LENGTH}}}_[0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{{CHECK_LENGTH}}})")
PREFIX_LENGTH = len("lp_") + ID_LENGTH


def new_key_text() -> str:
    """A new key with 256 random bits; the caller shows it once and keeps only `key_hash`."""
    body = f"lp_{_random(ID_LENGTH)}_{_random(SECRET_LENGTH)}"
    return body + _checksum(body)


def prefix_of(text: str) -> str:
    """The part that may be shown: it names the key and opens nothing."""
    return text[:PREFIX_LENGTH]


def key_hash(text: str) -> str:
    """SHA-256 (hex) of the whole key: enough for 256 random bits, and a guess can't steer it towards a stored one."""
    return hashlib.sha256(text.encode()).hexdigest()


def is_well_formed(text: str) -> bool:
    """Whether this can be a key at all."""
    found = KEY.fullmatch(text)
    return found is not None and hmac.compare_digest(_checksum(found[1]), found[2])


def _random(length: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(length))


def _checksum(body: str) -> str:
    rest, text = zlib.crc32(body.encode()), ""
    for _ in range(CHECK_LENGTH):
        rest, digit = divmod(rest, len(LETTERS))
        text = LETTERS[digit] + text
    return text
