"""What an owner enters: the rules of sign-in, and the company's provider."""

from typing import Any

import requests
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from labportal.labs.models import Lab
from labportal.signin.outgoing import check_url
from labportal.signin.provider import read_configuration
from labportal.signin.words import sign_on_words


class RulesForm(forms.ModelForm[Lab]):
    """Second step and time-outs; a lab may be stricter than the portal, never laxer."""

    idle_minutes = forms.IntegerField(label="Sign out after minutes without use", required=False, min_value=5)
    session_hours = forms.IntegerField(label="Sign out after hours in any case", required=False, min_value=1)
    mfa_required = forms.BooleanField(label="Everybody needs a second step", required=False)

    class Meta:
        model = Lab
        fields = ("mfa_required", "idle_minutes", "session_hours")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, most in (
            ("idle_minutes", settings.SESSION_IDLE_MINUTES),
            ("session_hours", settings.SESSION_MAX_HOURS),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.IntegerField)
            field.widget.attrs["placeholder"] = str(most)
            field.help_text = f"Empty: {most}, as the whole portal. It can be less, not more."
            field.validators.append(_at_most(most))


def _at_most(most: int) -> Any:
    def check(value: int) -> None:
        if value > most:
            raise ValidationError(f"{most} at most: that is the rule of the whole portal.")

    return check


class SignOnForm(forms.Form):
    """The provider is asked for its document, so that a wrong address is seen here and not by the lab's people."""

    issuer = forms.CharField(label="Issuer", max_length=300, help_text="As your provider calls itself, https://…")
    client_id = forms.CharField(label="Client id", max_length=200)
    secret = forms.CharField(label="Client secret", max_length=500, required=False, widget=forms.PasswordInput)
    vouches_for_addresses = forms.BooleanField(
        label="Its e-mail addresses count as confirmed, if it does not say",
        required=False,
        help_text="Needed for Microsoft Entra ID. Only if nobody can choose their address there themselves.",
    )

    def __init__(self, *args: Any, has_secret: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_secret = has_secret
        if has_secret:
            self.fields["secret"].help_text = "Empty: the one that is stored stays."

    def clean_secret(self) -> str:
        secret: str = self.cleaned_data["secret"]
        if not secret and not self.has_secret:
            raise ValidationError("Your provider gives a secret for this portal: enter it here.")
        return secret

    def clean_issuer(self) -> str:
        issuer: str = self.cleaned_data["issuer"].strip()
        try:
            check_url(issuer)
            read_configuration(issuer)
        except OAuth2Error as error:
            raise ValidationError(sign_on_words(str(error))) from error
        except requests.RequestException as error:
            raise ValidationError(
                sign_on_words(str(error) if type(error).__module__.startswith("labportal") else "")
            ) from error
        return issuer
