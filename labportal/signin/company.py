"""Sign-in by a lab's own provider: finding it, and who may come in by it."""

from typing import Any
from uuid import UUID

from allauth.socialaccount.models import SocialApp
from django.db import connection

from labportal.audit.services import record
from labportal.labs.models import Lab, Membership, User
from labportal.labs.tenancy import in_lab
from labportal.signin.models import CompanyId, SignOn


def find(door: str) -> UUID | None:
    """The SignOn behind an e-mail address (its domain) or a lab's short name; None when there is none, or two."""
    wanted = door.strip().lower().rpartition("@")[2]
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM resolve.sign_on(%s)", [wanted])
        rows = cursor.fetchall()
    return rows[0][0] if len(rows) == 1 else None


def lab_of(sign_on_id: str) -> UUID | None:
    """The lab whose provider this is, while it is enabled."""
    try:
        wanted = UUID(sign_on_id)
    except ValueError:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT lab_id FROM resolve.sign_on_lab(%s)", [wanted])
        row = cursor.fetchone()
    return row[0] if row else None


def app_of(sign_on_id: str) -> SocialApp:
    """What allauth needs to talk to the provider; never saved. Errors: SocialApp.DoesNotExist, SealError."""
    lab_id = lab_of(sign_on_id)
    if lab_id is None:
        raise SocialApp.DoesNotExist
    with in_lab(lab_id):
        sign_on = SignOn.objects.of(lab_id).get(pk=sign_on_id)
        return SocialApp(
            provider="openid_connect",
            provider_id=str(sign_on.pk),
            name="company",
            client_id=sign_on.client_id,
            secret=sign_on.secret,
            settings={
                "server_url": sign_on.issuer,
                "lab_id": str(lab_id),
                "vouches": sign_on.vouches_for_addresses,
            },
        )


class NotLetIn(Exception):
    """`code` has words in words.py."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def member_of(lab_id: UUID, *, claims: dict[str, Any], vouches: bool) -> User:
    """The lab's member whom the provider means; no operator, nobody of another lab alone. At the first time it is the
    one with the address that the provider confirms, from then on the one with its id. Errors: NotLetIn."""
    subject = claims["sub"]
    with in_lab(lab_id):
        members = Membership.objects.of(lab_id).filter(suspended_at=None).select_related("user")
        ids = CompanyId.objects.of(lab_id)
        known = ids.filter(subject=subject).first()
        if known is not None:
            return _let_in(members.filter(pk=known.membership_id).first()).user
        member = _let_in(members.filter(user__email__iexact=_address(claims, vouches=vouches)).first())
        bound, _ = ids.get_or_create(lab_id=lab_id, membership=member, defaults={"subject": subject})
        if bound.subject != subject:
            raise NotLetIn("another_id")
    return member.user


def _address(claims: dict[str, Any], *, vouches: bool) -> str:
    """The one that the provider confirms. Errors: NotLetIn."""
    email = claims.get("email")
    confirmed = claims.get("email_verified") is True or (vouches and "email_verified" not in claims)
    if not isinstance(email, str) or not email or not confirmed:
        raise NotLetIn("no_member")
    return email.strip()


def _let_in(membership: Membership | None) -> Membership:
    """Errors: NotLetIn."""
    if membership is None or not membership.user.is_active or membership.user.is_staff:
        raise NotLetIn("no_member")
    return membership


def save(
    *, lab: Lab, issuer: str, client_id: str, secret: str, vouches_for_addresses: bool, enabled: bool = True
) -> SignOn:
    """The lab's provider, made or changed; an empty secret leaves the one that is there."""
    sign_on = SignOn.objects.of(lab).first() or SignOn(lab=lab)
    if (sign_on.issuer, sign_on.client_id) != (issuer, client_id):
        CompanyId.objects.of(lab).delete()  # another provider, or another name of ours there, has ids of its own
    sign_on.issuer, sign_on.client_id, sign_on.enabled = issuer, client_id, enabled
    sign_on.vouches_for_addresses = vouches_for_addresses
    if secret:
        sign_on.set_secret(secret)
    sign_on.save()
    record("sign_on.saved", lab_id=lab.pk, target=sign_on, enabled=enabled, vouches=vouches_for_addresses)
    return sign_on


def remove(*, lab: Lab) -> None:
    """People sign in with password or passkey again. Sessions that the provider opened live until they end."""
    SignOn.objects.of(lab).delete()
    CompanyId.objects.of(lab).delete()
    Lab.objects.filter(pk=lab.pk).update(sso_required=False)
    record("sign_on.removed", lab_id=lab.pk)
