"""Second steps: seeds sealed at rest, a TOTP code taken once, the last one kept while somebody demands it; and a
passkey alone opens only when its device asked for a PIN, finger or face."""

import logging
from typing import Any, NoReturn
from urllib.parse import urlsplit

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base import forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.webauthn import forms as webauthn_forms
from allauth.mfa.webauthn.internal.auth import get_state
from django.conf import settings
from django.db import transaction
from fido2.webauthn import UserVerificationRequirement

from labportal.labs.models import User
from labportal.labs.second_step import FACTORS, demanded_of
from labportal.sealing import SealError
from labportal.signin import seeds

log = logging.getLogger(__name__)


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth publishes no types
    error_messages = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": "This is your last second step, and your lab or this portal asks for one. "
        "Add another one first, then remove this one.",
        "incorrect_code": "This code is not correct, or it was used before. Wait for the next one and try again.",
        "unreadable": "The portal can't read your second step, so no code opens. Sign in with a passkey if you have "
        "one, or ask the portal's operator to remove your second steps; then set up a new one.",
    }

    def encrypt(self, text: str) -> str:
        """For nobody yet: the row that it is put into binds it to its person."""
        return seeds.make(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Of a text as it came out of a row. Errors: SealError."""
        return seeds.opened(encrypted_text)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        others = Authenticator.objects.filter(user=authenticator.user, type__in=FACTORS).exclude(pk=authenticator.pk)
        return others.exists() or not demanded_of(authenticator.user)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys belong to the portal's own name, whatever other name a request came by."""
        return {"id": urlsplit(settings.BASE_URL).hostname or "localhost", "name": "Lab portal"}

    def generate_authenticator_name(self, user: User, type: str) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return "Passkey" if count == 0 else f"Passkey {count + 1}"


def counter_of(secret: str, code: str) -> int | None:
    """The half minute whose code this is, within the tolerance."""
    for counter in yield_hotp_counters_from_time():
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, counter))):
            return int(counter)
    return None


def burn(authenticator: Authenticator, code: str) -> bool:
    """Take a TOTP code for good: this code and all older ones are worthless from now on (RFC 6238, 5.2).

    False if it was taken already. allauth remembers a code for 30 s in the cache; with a tolerance a code lives 90 s,
    and a cache may forget.
    """
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
        counter = counter_of(seeds.opened(row.data["secret"]), code)
        if counter is None or counter <= row.data.get("last_counter", -1):
            return False
        row.data["last_counter"] = counter
        row.save(update_fields=["data"])
    authenticator.data = row.data
    return True


def burn_enrolment(authenticator: Authenticator, code: str) -> None:
    """The code that proved the app at enrolment must not open the door as well."""
    counter = counter_of(seeds.opened(authenticator.data["secret"]), code)
    if counter is not None:
        authenticator.data["last_counter"] = counter
        authenticator.save(update_fields=["data"])


class _TakenOnce:
    def clean_code(self) -> Any:
        try:
            return self._taken()
        except SealError as error:
            self._refuse_unreadable(error)

    def _refuse_unreadable(self, error: SealError) -> NoReturn:
        """A seed that does not open is no reason for an error page; why it does not is for the operator's log."""
        user: User = self.user  # type: ignore[attr-defined]  # a mixin of allauth's forms
        log.error("second_step_unreadable %s person %s", error.code, user.pk)
        main = (
            Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.WEBAUTHN).order_by("-type").first()
        )
        self._emit_authentication_failed(main)  # type: ignore[attr-defined]  # as above
        raise MFAAdapter().validation_error("unreadable") from error

    def _taken(self) -> Any:
        code = super().clean_code()  # type: ignore[misc]  # as above
        used: Authenticator = self.authenticator  # type: ignore[attr-defined]  # as above
        if used.type == Authenticator.Type.TOTP and not burn(used, code):
            self._emit_authentication_failed(used)  # type: ignore[attr-defined]  # as above
            raise MFAAdapter().validation_error("incorrect_code")
        return code


class _Digits:
    """A phone shows its digits, not its letters: codes of the app and recovery codes have no others."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["inputmode"] = "numeric"  # type: ignore[attr-defined]  # a mixin of forms


class AuthenticateForm(_Digits, _TakenOnce, forms.AuthenticateForm):  # type: ignore[misc]  # allauth publishes no types
    pass


class ReauthenticateForm(_Digits, _TakenOnce, forms.ReauthenticateForm):  # type: ignore[misc]  # as above
    pass


class ActivateTOTPForm(_Digits, totp_forms.ActivateTOTPForm):  # type: ignore[misc]  # as above
    pass


class LoginWebAuthnForm(webauthn_forms.LoginWebAuthnForm):  # type: ignore[misc]  # as above
    """A passkey alone: two factors in one, so the device must have asked for its PIN, finger or face.

    A session has one place for the challenge of all ceremonies, and that of the second step is content with a touch.
    Only a challenge that demanded it opens here; then fido2 refuses an answer whose signed flag says that the device
    did not ask.
    """

    def clean_credential(self) -> Authenticator:
        demanded = (get_state() or {}).get("user_verification")
        if demanded != UserVerificationRequirement.REQUIRED:
            raise MFAAdapter().validation_error("incorrect_code")
        return super().clean_credential()
