"""At the link of a mail: a person joins a lab, or opens their own. The same steps for both, and for everybody.

The address with the token is used once, to put its hash into the session; every page after it has an address without.
Whether the address is known here is said to nobody who has not proven it: the page is the same for all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render

from labportal.labs.models import Lab, User
from labportal.labs.sessions import company_lab
from labportal.people.addresses import PersonExists, proven_addresses
from labportal.people.forms import NewPersonForm
from labportal.people.invitations import InvitationClosed
from labportal.people.limits import is_too_much, too_many
from labportal.people.sign_ups import SignUpClosed
from labportal.people.tokens import token_hash

KNOWN = "There is a log-in for this address already. Sign in with it; then you come back to this page."


@dataclass(frozen=True)
class Arrival:
    """What a link offers: `join` for a person with a log-in, `join_new` (name, password) for one without."""

    email: str
    lab_name: str
    role: str
    join: Callable[[User], Lab]
    join_new: Callable[[str, str], tuple[User, Lab]]


def keep(request: HttpRequest, name: str, token: str, page: str) -> HttpResponseBase:
    """From the mailed address to the page without the token."""
    request.session[name] = token_hash(token)
    return redirect(page)


def arrive(request: HttpRequest, name: str, arrival: Arrival | None, template: str) -> HttpResponseBase:
    """Show what is offered; on a form, take it up and go to the lab's inbox."""
    if arrival is None:
        request.session.pop(name, None)
        return render(request, "people/closed.html", status=404)
    user = request.user if isinstance(request.user, User) else None
    form = NewPersonForm(request.POST if request.POST.get("act") == "new" else None, email=arrival.email)
    if company_lab(request):  # a lab's own provider says who they are: its word counts in that lab alone
        return render(request, "signin/own_log_in_only.html", status=403)
    if request.method == "POST":
        if is_too_much(request, "join"):
            return too_many(request)
        try:
            answer = _join(request, name, arrival, user) if user else _join_new(request, name, arrival, form)
        except (InvitationClosed, SignUpClosed):  # a moment ago, by another hand
            return render(request, "people/closed.html", status=404)
        if answer is not None:
            return answer
    page: dict[str, Any] = {
        "offer": arrival, "form": form, "here": request.path,
        "may_join": user is not None and arrival.email in proven_addresses(user),
    }  # fmt: skip
    return render(request, template, page)


def _join(request: HttpRequest, name: str, arrival: Arrival, user: User) -> HttpResponseBase | None:
    if arrival.email not in proven_addresses(user):
        return None
    _welcome(request, name, arrival.join(user))
    return redirect("inbox")


def _join_new(request: HttpRequest, name: str, arrival: Arrival, form: NewPersonForm) -> HttpResponseBase | None:
    if not form.is_valid():
        return None
    try:
        user, lab = arrival.join_new(form.cleaned_data["name"], form.cleaned_data["password1"])
    except PersonExists:
        form.add_error(None, KNOWN)
        return None
    _welcome(request, name, lab)
    answer: HttpResponseBase = perform_login(request, user, redirect_url="/")
    return answer


def _welcome(request: HttpRequest, name: str, lab: Lab) -> None:
    del request.session[name]
    request.session["lab"] = lab.slug
    messages.success(request, f"Welcome to {lab.name}.")
