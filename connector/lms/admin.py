"""The operator makes and revokes a lab's API keys. A key is shown once, its hash never."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from connector.lms.mails import tell_owners
from connector.lms.models import ApiKey
from connector.lms.services import Limits, make_key, revoke_key
from labportal.labs.models import User
from labportal.labs.read_only import OfferedFilters

SHOWN = (
    "lab", "name", "prefix", "scopes", "pairings", "networks", "status", "replaces", "created_by", "created_at",
    "expires_at", "last_used_at", "revoked_at",
)  # fmt: skip


@admin.register(ApiKey)
class ApiKeyAdmin(OfferedFilters, admin.ModelAdmin[ApiKey]):
    list_display = ("name", "lab", "prefix", "status", "created_at", "last_used_at")
    list_select_related = ("lab",)
    search_fields = ("name", "prefix", "lab__name")
    autocomplete_fields = ("lab",)
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return ("lab", "name", "expires_at") if obj is None else SHOWN

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        return () if obj is None else SHOWN

    def save_model(self, request: HttpRequest, obj: ApiKey, form: ModelForm[ApiKey], change: bool) -> None:
        if change:
            return  # nothing of a key can be changed but by revoking it
        by = request.user if isinstance(request.user, User) else None
        key, text = make_key(lab=obj.lab, name=obj.name, by=by, limits=Limits(expires_at=obj.expires_at))
        tell_owners(key, obj.lab)
        obj.pk, obj.prefix, obj.shown_once = key.pk, key.prefix, text

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """The key stands on this one answer and nowhere else: not in a cookie, not on a page to come."""
        context = {
            **self.admin_site.each_context(request),
            "title": "The new key",
            "key": obj.shown_once,
            "lab": obj.lab.name,
        }
        return render(request, "admin/new_key.html", context)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False  # revoking leaves a trace

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        keys = list(queryset)
        for key in keys:
            revoke_key(key=key)
        messages.success(request, f"Revoked: {', '.join(key.prefix for key in keys)}.")
