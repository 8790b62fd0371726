"""What an owner says of a new key, and of the one that replaces it."""

import uuid
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from connector.lms.models import SCOPES, read_only
from connector.lms.services import Limits
from connector.pairing.models import Pairing

AT_MOST_NETWORKS = 20
LIVES = {"90": "90 days", "365": "1 year", "": "Until it is revoked"}
GRACES = {"7": "in 7 days", "1": "tomorrow", "30": "in 30 days", "0": "now"}
NO_NAME = "Say which system will use the key."
NO_SCOPE = "Choose at least one thing that the key may do."
NO_CONNECTION = "Choose at least one connection, or all of them."


class KeyForm(forms.Form):
    """A key's name and limits."""

    form_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    name = forms.CharField(max_length=80, error_messages={"required": NO_NAME})
    scopes = forms.MultipleChoiceField(
        choices=list(SCOPES.items()), initial=read_only, error_messages={"required": NO_SCOPE}
    )
    which = forms.ChoiceField(choices=[("all", "All"), ("some", "Some")], initial="all")
    pairings = forms.TypedMultipleChoiceField(coerce=uuid.UUID, required=False)
    life = forms.ChoiceField(choices=list(LIVES.items()), initial="365", required=False)
    networks = forms.CharField(max_length=2000, required=False)

    def __init__(self, pairings: list[Pairing], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["pairings"].choices = [(str(each.pk), each.account_name) for each in pairings]  # type: ignore[attr-defined]  # of the choice field above

    def clean_networks(self) -> list[str]:
        texts = self.cleaned_data["networks"].replace(",", " ").split()
        if len(texts) > AT_MOST_NETWORKS:
            raise ValidationError(f"At most {AT_MOST_NETWORKS} addresses are possible.")
        found = []
        for text in texts:
            try:
                found.append(str(ip_network(text, strict=False)))
            except ValueError as error:
                words = f"“{text[:60]}” is no network address. Write for example 203.0.113.7 or 203.0.113.0/24."
                raise ValidationError(words) from error
        return found

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("which") == "some" and not given.get("pairings"):
            raise ValidationError(NO_CONNECTION)
        return given

    @property
    def limits(self) -> Limits:
        """Of a valid form."""
        given = self.cleaned_data
        return Limits(
            scopes=given["scopes"],
            pairings=given["pairings"] if given["which"] == "some" else None,
            networks=given["networks"],
            expires_at=timezone.now() + timedelta(days=int(given["life"])) if given["life"] else None,
        )

    @property
    def all_errors(self) -> list[str]:
        return [str(error) for errors in self.errors.values() for error in errors]


class RotateForm(forms.Form):
    """When the old key ends."""

    form_id = forms.UUIDField()
    grace = forms.ChoiceField(choices=list(GRACES.items()))
