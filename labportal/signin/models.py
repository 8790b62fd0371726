"""A lab's own OpenID provider, and how it calls the lab's people. allauth's SocialApp is global and keeps secrets in
clear, its SocialAccount belongs to a person and not to a lab, so both stay empty."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from labportal.labs.models import LabQuerySet, LabScoped, Membership
from labportal.sealing import seal, unseal


class SignOn(LabScoped):
    """Where a lab's people sign in with their company, and what the portal is called there."""

    issuer = models.CharField(max_length=300)
    client_id = models.CharField(max_length=200)
    sealed_secret = models.TextField()
    # Set by the operator alone, who has seen that they are the lab's: else one lab could catch another's people.
    domains = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    # For providers that say nothing about it; it concerns this lab's people and this lab only.
    vouches_for_addresses = models.BooleanField("its addresses count as confirmed", default=False)
    enabled = models.BooleanField(default=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager["SignOn"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        verbose_name = "company sign-in"
        constraints = [models.UniqueConstraint(fields=["lab"], name="signin_one_per_lab")]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def secret(self) -> str:
        """Errors: SealError."""
        return unseal(self.sealed_secret, lab_id=self.lab_id, owner_id=self.pk)["secret"]

    def set_secret(self, secret: str) -> None:
        self.sealed_secret = seal({"secret": secret}, lab_id=self.lab_id, owner_id=self.pk)


class CompanyId(LabScoped):
    """The provider's own id of a member, from the first sign-in on. An address may be given to somebody else later, an
    id never is (OpenID Connect Core 5.7). It goes with the membership, and with the provider."""

    membership = models.OneToOneField(Membership, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["CompanyId"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lab", "subject"], name="signin_one_per_subject")]

    def __str__(self) -> str:
        return str(self.pk)
