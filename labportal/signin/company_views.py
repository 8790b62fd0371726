"""Signing in with one's company: the door, and what an owner sets up for it."""

from typing import Any
from urllib.parse import urlsplit

import requests
from allauth.core.ratelimit import consume_or_429
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labportal.audit.services import record
from labportal.labs import sessions
from labportal.labs.access import LabRequest, confirmed, owner
from labportal.labs.middleware import commits_itself
from labportal.labs.models import Lab
from labportal.labs.tenancy import in_lab
from labportal.signin import company
from labportal.signin.forms import RulesForm, SignOnForm
from labportal.signin.models import SignOn
from labportal.signin.words import sign_on_words


@commits_itself
@require_http_methods(["GET", "POST"])
def company_sign_in(request: HttpRequest, door: str = "") -> HttpResponseBase:
    """Which company? Told by an address's domain or a lab's short name; no answer depends on a person."""
    back = request.GET.get("next", "")
    form = {"door": door or request.POST.get("door", "")[:254], "next": back, "fixed": bool(door), "unknown": False}
    if request.method == "GET":
        return render(request, "signin/company.html", form)
    busy: HttpResponseBase | None = consume_or_429(request, action="company")
    if busy is not None:
        return busy
    sign_on_id = company.find(str(form["door"]))
    if sign_on_id is None:
        return render(request, "signin/company.html", {**form, "unknown": True})
    safe = url_has_allowed_host_and_scheme(back, request.get_host())
    try:
        provider = get_adapter(request).get_provider(request, provider=str(sign_on_id))
        away = provider.redirect(request, "login", next_url=back if safe else None)
    except (OAuth2Error, requests.RequestException, SocialApp.DoesNotExist):
        messages.error(request, sign_on_words("provider"))
        return redirect("company_sign_in")
    # A page and not a redirect: browsers count a redirect as the form's target, which our rules keep to this site.
    return render(request, "signin/leaving.html", {"url": away.url, "host": urlsplit(away.url).hostname})


@commits_itself
@require_GET
def company_callback(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Back from the company. It is asked over the network, so no transaction is held."""
    answer: HttpResponseBase = openid_connect.callback(request, provider_id)
    return answer


def _page(request: LabRequest, rules: RulesForm, sign_on: SignOnForm | None = None) -> HttpResponseBase:
    with in_lab(request.lab.pk):
        stored = SignOn.objects.of(request.lab).first()
    form = sign_on or SignOnForm(has_secret=stored is not None, initial=_initial(stored))
    return render(request, "signin/rules.html", {
        "rules": rules,
        "form": form,
        "stored": stored,
        "callback_url": settings.BASE_URL + reverse("openid_connect_callback", args=[stored.pk]) if stored else "",
        "door_url": settings.BASE_URL + reverse("company_door", args=[request.lab.slug]),
        "by_company": sessions.company_lab(request) == str(request.lab.pk),
    })  # fmt: skip


def _initial(stored: SignOn | None) -> dict[str, Any]:
    names = ("issuer", "client_id", "vouches_for_addresses")
    return {name: getattr(stored, name) for name in names} if stored else {}


@require_http_methods(["GET", "POST"])
@owner
@confirmed
def sign_in_rules(request: LabRequest) -> HttpResponseBase:
    """Second step and time-outs of the lab."""
    form = RulesForm(request.POST if request.method == "POST" else None, instance=request.lab)
    if request.method == "POST" and form.is_valid():
        request.lab.save(update_fields=[*form.cleaned_data])
        record("lab.sign_in_rules", lab_id=request.lab.pk, target=request.lab, **form.cleaned_data)
        messages.success(request, "Saved. It counts from everybody's next page on.")
        return redirect("sign_in_rules")
    return _page(request, form)


@commits_itself
@require_POST
@owner
@confirmed
def save_company(request: LabRequest) -> HttpResponseBase:
    """The lab's provider; it is asked for its document, so no transaction is held meanwhile."""
    with in_lab(request.lab.pk):
        has_secret = SignOn.objects.of(request.lab).exists()
    form = SignOnForm(request.POST, has_secret=has_secret)
    if not form.is_valid():
        return _page(request, RulesForm(instance=request.lab), form)
    with in_lab(request.lab.pk, user_id=request.user.pk):
        company.save(lab=request.lab, **form.cleaned_data)
    messages.success(request, "Saved. Now register the return address at your provider, and try to sign in.")
    return redirect("sign_in_rules")


@require_POST
@owner
@confirmed
def company_rules(request: LabRequest) -> HttpResponseBase:
    """Whether the company's sign-in counts as a second step, and whether it is the only way in."""
    only = request.POST.get("sso_required") == "on"
    if only and sessions.company_lab(request) != str(request.lab.pk):
        messages.error(request, "First sign in by your company yourself: then it is sure that nobody is shut out.")
        return redirect("sign_in_rules")
    counts = request.POST.get("sso_counts_as_mfa") == "on"
    Lab.objects.filter(pk=request.lab.pk).update(sso_required=only, sso_counts_as_mfa=counts)
    record("lab.company_rules", lab_id=request.lab.pk, target=request.lab, only=only, counts=counts)
    messages.success(request, "Saved. It counts from everybody's next page on.")
    return redirect("sign_in_rules")


@require_POST
@owner
@confirmed
def remove_company(request: LabRequest) -> HttpResponseBase:
    company.remove(lab=request.lab)
    messages.success(request, "Removed. Everybody signs in with their own password or passkey.")
    return redirect("sign_in_rules")
