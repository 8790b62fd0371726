"""allauth's pages of recovery codes, when the codes can't be read: those open nothing, and one can make new ones."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.mfa.recovery_codes import views
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.views.generic.edit import FormView

from labportal.sealing import SealError

UNREADABLE = "The portal can't read your recovery codes, so they open nothing. Make new ones here."

View = Callable[[HttpRequest], HttpResponseBase]


class _Generate(views.GenerateRecoveryCodesView):  # type: ignore[misc]  # allauth publishes no types
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        try:
            found: dict[str, Any] = super().get_context_data(**kwargs)
        except SealError:
            return FormView.get_context_data(self, **kwargs) | {"unused_code_count": 0}
        return found


def _or_to_new_ones(view: View) -> View:
    @wraps(view)
    def shown(request: HttpRequest) -> HttpResponseBase:
        try:
            return view(request)
        except SealError:
            messages.error(request, UNREADABLE)
            return redirect("mfa_generate_recovery_codes")

    return shown


generate = _Generate.as_view()
show = _or_to_new_ones(views.view_recovery_codes)
download = _or_to_new_ones(views.download_recovery_codes)
