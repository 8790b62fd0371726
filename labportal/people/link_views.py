"""Pages behind the links of our mails, and the request for a lab of one's own."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from labportal.labs.middleware import commits_itself
from labportal.labs.models import Lab, Role, User
from labportal.labs.tenancy import in_lab
from labportal.people import invitations, sign_ups
from labportal.people.arriving import Arrival, arrive, keep
from labportal.people.forms import SignUpForm
from labportal.people.limits import is_too_much, too_many
from labportal.people.models import Invitation, SignUp
from labportal.people.words import role_words

GET_OR_POST = require_http_methods(["GET", "HEAD", "POST"])
INVITATION, SIGN_UP = "invitation", "sign_up"


@require_safe
def invitation_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """The address in the mail. Looking at it uses nothing up: mail scanners look too."""
    return keep(request, INVITATION, token, "invitation")


@GET_OR_POST
def invitation(request: HttpRequest) -> HttpResponseBase:
    """Join a lab."""
    asked = invitations.open_invitation(request.session.get(INVITATION, ""))
    return arrive(request, INVITATION, _into_a_lab(asked) if asked else None, "people/join.html")


def _into_a_lab(asked: Invitation) -> Arrival:
    with in_lab(asked.lab_id):
        lab = Lab.objects.get(pk=asked.lab_id)

    def join(user: User) -> Lab:
        invitations.accept(invitation=asked, user=user)
        return lab

    def join_new(name: str, password: str) -> tuple[User, Lab]:
        return invitations.accept_as_new_person(invitation=asked, name=name, password=password), lab

    return Arrival(asked.email, lab.name, role_words(asked.role), join, join_new)


@commits_itself
@GET_OR_POST
def sign_up(request: HttpRequest) -> HttpResponseBase:
    """Ask for a lab of one's own, where the installation allows it. The answer is the same for every address."""
    _only_where_allowed()
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        if is_too_much(request, "open_lab", key=asked["email"].lower()):
            return too_many(request)
        sent = sign_ups.ask_for_lab(email=asked["email"], lab_name=asked["lab_name"], time_zone=asked["time_zone"])
        return render(request, "people/sign_up_sent.html", {"sent": sent})
    return render(request, "people/sign_up.html", {"form": form})


@require_safe
def sign_up_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """The address in the mail."""
    _only_where_allowed()
    return keep(request, SIGN_UP, token, "sign_up_open")


@GET_OR_POST
def sign_up_open(request: HttpRequest) -> HttpResponseBase:
    """Open the lab that was asked for."""
    _only_where_allowed()
    asked = sign_ups.open_sign_up(request.session.get(SIGN_UP, ""))
    return arrive(request, SIGN_UP, _new_lab(asked) if asked else None, "people/join.html")


def _new_lab(asked: SignUp) -> Arrival:
    def join(user: User) -> Lab:
        return sign_ups.open_lab(sign_up=asked, user=user)

    def join_new(name: str, password: str) -> tuple[User, Lab]:
        return sign_ups.open_lab_as_new_person(sign_up=asked, name=name, password=password)

    return Arrival(asked.email, asked.lab_name, role_words(Role.OWNER), join, join_new)


def _only_where_allowed() -> None:
    if not settings.LAB_SIGN_UP:
        raise Http404
