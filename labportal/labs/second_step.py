"""Who must have a second step at sign-in, and whether this session was opened with one."""

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from labportal.labs import sessions
from labportal.labs.models import Lab, Membership, User
from labportal.labs.sign_in_trail import record_for_person

# Recovery codes alone are no second step: they stand in for one of these.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def demanded_of(user: User) -> bool:
    """Whether the portal or one of the person's labs asks for a second step (their labs are seen in a request)."""
    if user.is_staff and settings.OPERATORS_NEED_MFA:
        return True
    theirs = Membership.objects.filter(user=user, suspended_at=None)
    return (theirs if settings.PEOPLE_NEED_MFA else theirs.filter(lab__mfa_required=True)).exists()


def has_factor(user: User | AnonymousUser) -> bool:
    return user.is_authenticated and Authenticator.objects.filter(user=user, type__in=FACTORS).exists()


def used_in(request: HttpRequest) -> bool:
    """This session was opened with a second step, or one was set up in it. One of an earlier password alone was not."""
    if request.session.get(sessions.ENROLLED):
        return True
    user = request.user if isinstance(request.user, User) else None
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, user))


def missing_for_lab(request: HttpRequest, lab: Lab) -> bool:
    """The lab, or the portal for all labs, asks for a second step and this session has none that counts for it."""
    if not (lab.mfa_required or settings.PEOPLE_NEED_MFA):
        return False
    by_company = sessions.company_lab(request) == str(lab.pk)
    return not (by_company and lab.sso_counts_as_mfa) and not used_in(request)


def remove_all(person: User) -> None:
    """For somebody who lost phone, key and codes, after the operator made sure who asks. A mail tells the person."""
    rows = Authenticator.objects.filter(user=person)
    kinds = sorted(rows.values_list("type", flat=True))
    rows.delete()
    for kind in kinds:
        record_for_person("second_step.removed", person, kind=kind)
    if kinds:
        get_adapter().send_notification_mail("mfa/email/totp_deactivated", person)


def missing_for_operator(request: HttpRequest) -> bool:
    return settings.OPERATORS_NEED_MFA and not used_in(request)
