"""The operator enters the e-mail domains of a lab's provider. Seeds, keys and secrets are not the operator's to see."""

from allauth.mfa import admin as _mfa  # noqa: F401 - registers what is unregistered below
from allauth.mfa.models import Authenticator
from allauth.socialaccount import admin as _social  # noqa: F401 - registers what is unregistered below
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.http import HttpRequest

from labportal.labs.read_only import OfferedFilters
from labportal.signin.models import SignOn

for _model in (Authenticator, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(_model)


@admin.register(SignOn)
class SignOnAdmin(OfferedFilters, admin.ModelAdmin[SignOn]):
    """A domain goes in when it is sure that it is the lab's: addresses of it are sent to this provider."""

    list_display = ("lab", "issuer", "domains", "enabled")
    list_select_related = ("lab",)
    fields = ("lab", "issuer", "domains", "enabled", "changed_at")
    readonly_fields = ("lab", "issuer", "changed_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SignOn | None = None) -> bool:
        return False
