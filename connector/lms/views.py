"""API keys, for the lab's owner: make, replace, revoke. A key's text stands on one answer and nowhere else."""

import uuid
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from connector.lms.forms import GRACES, LIVES, KeyForm, RotateForm
from connector.lms.key_page import connections_of, key_rows
from connector.lms.models import SCOPES, ApiKey
from connector.lms.services import KeyRefused, make_key, revoke_key, rotate_key
from labportal.labs.access import LabRequest, confirmed, owner

REFUSED = {
    "made_already": "This form was sent before, and the key was made then. If you did not copy it, revoke it "
    "and make another.",
    "not_live": "That key is not in use any more. Make a new one.",
    "replaced_already": "That key was replaced before. Replace the newer one.",
}


@require_GET
@owner
@confirmed
def api_keys(request: LabRequest) -> HttpResponseBase:
    """The lab's keys, and the form for one more."""
    return _page(request, KeyForm(connections_of(request.lab)))


def _page(request: LabRequest, form: KeyForm) -> HttpResponseBase:
    context: dict[str, Any] = {
        "keys": key_rows(request.lab),
        "form": form,
        "scopes": [{"value": value, "label": label} for value, label in SCOPES.items()],
        "connections": connections_of(request.lab),
        "lives": LIVES.items(),
        "graces": GRACES.items(),
        "form_id": uuid.uuid4(),
        "base_url": settings.BASE_URL,
        "openapi_url": reverse("lms:openapi"),
    }
    return render(request, "lms/keys.html", context)


@require_POST
@owner
@confirmed
def api_key_new(request: LabRequest) -> HttpResponseBase:
    """One more key."""
    form = KeyForm(connections_of(request.lab), request.POST)
    if not form.is_valid():
        return _page(request, form)
    given = form.cleaned_data
    try:
        key, text = make_key(
            lab=request.lab, name=given["name"], by=request.user, limits=form.limits, form=given["form_id"]
        )
    except KeyRefused as refused:
        return _refused(request, refused)
    return _shown_once(request, key, text)


@require_POST
@owner
@confirmed
def api_key_rotate(request: LabRequest, api_key_id: UUID) -> HttpResponseBase:
    """A key in place of this one, which goes on for a while."""
    key = get_object_or_404(ApiKey.objects.of(request.lab), pk=api_key_id)
    form = RotateForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose when the old key ends.")
        return redirect("api_keys")
    grace = timedelta(days=int(form.cleaned_data["grace"]))
    try:
        made, text = rotate_key(key=key, by=request.user, grace=grace, form=form.cleaned_data["form_id"])
    except KeyRefused as refused:
        return _refused(request, refused)
    return _shown_once(request, made, text, old=key, old_ends=GRACES[form.cleaned_data["grace"]])


@require_POST
@owner
def api_key_revoke(request: LabRequest, api_key_id: UUID) -> HttpResponseBase:
    """At once, and for ever."""
    key = get_object_or_404(ApiKey.objects.of(request.lab), pk=api_key_id)
    revoke_key(key=key)
    messages.success(request, f"The key {key.prefix} opens nothing any more.")
    return redirect("api_keys")


def _refused(request: LabRequest, refused: KeyRefused) -> HttpResponseBase:
    messages.error(request, REFUSED[refused.code])
    return redirect("api_keys")


def _shown_once(
    request: LabRequest, key: ApiKey, text: str, *, old: ApiKey | None = None, old_ends: str = ""
) -> HttpResponseBase:
    """Not a redirect: between two pages the key would have to lie in a cookie or a table."""
    context = {"key": key, "text": text, "old": old, "old_ends": old_ends, "base_url": settings.BASE_URL}
    return render(request, "lms/new_key.html", context)
