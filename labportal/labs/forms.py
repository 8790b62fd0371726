"""The operator's forms: a misspelt time zone or role would break every page of a lab, so both come from lists."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.forms.models import BaseInlineFormSet

from labportal.labs.models import Lab, Membership, Role, User


class LabForm(forms.ModelForm[Lab]):
    tooth_notation = forms.ChoiceField(choices=Lab.Notation.choices)
    time_zone = forms.ChoiceField(initial="UTC")

    class Meta:
        model = Lab
        fields = ("name", "slug", "time_zone", "tooth_notation", "mfa_required", "sso_required")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(name, name) for name in sorted(available_timezones())]


class MembershipForm(forms.ModelForm[Membership]):
    role = forms.ChoiceField(
        choices=Role.choices,
        initial=Role.TECHNICIAN,
        help_text="When an owner gets another role, their API keys and open invitations end.",
    )

    class Meta:
        model = Membership
        fields = ("lab", "user", "role")


class MemberFormSet(BaseInlineFormSet[Membership, Lab, forms.ModelForm[Membership]]):
    """The lab's key has no name on the lab's side, which would leave the rows' fields without a prefix; the admin's
    "Add another" finds them by it."""

    @classmethod
    def get_default_prefix(cls) -> str:
        return "members"


class PersonForm(forms.ModelForm[User]):
    """Nobody's password: who is new, or forgot it, chooses one by a link in a mail."""

    class Meta:
        model = User
        fields = ("email", "name", "is_active", "is_staff")
