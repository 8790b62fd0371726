"""Forms of people: what a member may do, an invitation, a new person, a new lab, a lab's settings."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from connector.pairing.models import Pairing
from labportal.labs.models import Lab, Membership, Role, User

ALL, SOME = "all", "some"


class RightsForm(forms.Form):
    """A role, and all connections of the lab or only those that are ticked."""

    role = forms.ChoiceField(choices=Role.choices, initial=Role.TECHNICIAN, widget=forms.RadioSelect)
    which = forms.ChoiceField(choices=[(ALL, ALL), (SOME, SOME)], initial=ALL, required=False)
    pairings = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: Any, connections: Sequence[Pairing], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["pairings"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(str(pairing.pk), pairing.account_name) for pairing in connections]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if self._narrow(found) and not found.get("pairings"):
            self.add_error("pairings", "Choose at least one connection, or “All connections”.")
        return found

    @property
    def given(self) -> list[UUID] | None:
        """The pairings to give: None is all."""
        return [UUID(pk) for pk in self.cleaned_data["pairings"]] if self._narrow(self.cleaned_data) else None

    @staticmethod
    def _narrow(found: dict[str, Any]) -> bool:
        return found.get("which") == SOME and found.get("role") != Role.OWNER


class InviteForm(RightsForm):
    email = forms.EmailField(max_length=254)
    field_order = ["email", "role", "which", "pairings"]


class NewPersonForm(forms.Form):
    """A name and a password for an address that the link has proven."""

    name = forms.CharField(max_length=120, label="Your name", help_text="Your colleagues see it beside what you do.")
    password1 = forms.CharField(label="Password", widget=forms.PasswordInput, help_text="Ten characters or more.")
    password2 = forms.CharField(label="Password again", widget=forms.PasswordInput)

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email
        for name in ("password1", "password2"):
            self.fields[name].widget.attrs["autocomplete"] = "new-password"
        self.fields["name"].widget.attrs["autocomplete"] = "name"

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        password = found.get("password1")
        if password and password != found.get("password2"):
            self.add_error("password2", "The two passwords differ.")
        elif password:
            try:
                validate_password(password, User(email=self.email, name=found.get("name", "")))
            except ValidationError as error:
                self.add_error("password1", error)
        return found


class TimeZoneField(forms.ChoiceField):
    """Zones by name; a misspelt one would break every page of a lab."""

    def __init__(self, **kwargs: Any) -> None:
        zones = [(name, name.replace("_", " ")) for name in sorted(available_timezones()) if "/" in name]
        super().__init__(choices=[("UTC", "UTC"), *zones], initial="UTC", **kwargs)


class SignUpForm(forms.Form):
    """A lab that somebody asks for."""

    lab_name = forms.CharField(max_length=120, label="Name of your lab")
    email = forms.EmailField(max_length=254, label="Your e-mail")
    time_zone = TimeZoneField(label="Time zone", help_text="Due dates and times are shown in it.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lab_name"].widget.attrs["autocomplete"] = "organization"
        self.fields["email"].widget.attrs["autocomplete"] = "email"


class LabSettingsForm(forms.ModelForm[Lab]):
    time_zone = TimeZoneField(label="Time zone", help_text="Due dates and times are shown in it.")
    tooth_notation = forms.ChoiceField(choices=Lab.Notation.choices, widget=forms.RadioSelect, label="Tooth numbers")

    class Meta:
        model = Lab
        fields = ("name", "time_zone", "tooth_notation")


def rights_of(membership: Membership) -> dict[str, Any]:
    """What the form shows for a member."""
    pairings = membership.pairings
    return {
        "role": membership.role,
        "which": ALL if membership.scope is None else SOME,
        "pairings": [str(pk) for pk in pairings or []],
    }
