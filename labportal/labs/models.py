"""User, Lab and Membership; and LabScoped, the base of every record that belongs to one lab."""

import uuid
from typing import Any, ClassVar, Self, TypeVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models.functions import Lower

from labportal.audit.services import record
from labportal.labs import scope


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Of Django's command `createsuperuser`; our own verb is services.create_person."""
        with transaction.atomic(using=self._db):
            user = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
            record("operator.made", lab_id=None, target=user)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by e-mail; may work in several labs. `is_staff` is the portal's operator, no lab's role."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField("operator", default=False, help_text="May use the operator's admin site.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="labs_user_email_lower")]

    def __str__(self) -> str:
        return self.email

    @property
    def display_name(self) -> str:
        return self.name or self.email


class Lab(models.Model):
    """A dental lab: the tenant. Its own id is its row-level security key."""

    class Notation(models.TextChoices):
        FDI = "fdi", "FDI (11–48)"
        UNIVERSAL = "universal", "Universal (1–32)"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    time_zone = models.CharField(max_length=60, default="UTC")
    tooth_notation = models.CharField(max_length=12, default=Notation.FDI)
    # How its people come in; kept here, since the door of every page asks (labs/access.py, labs/sessions.py).
    mfa_required = models.BooleanField("second step required", default=False)
    sso_required = models.BooleanField("only by the lab's own sign-in", default=False)
    sso_counts_as_mfa = models.BooleanField("the lab's own sign-in counts as a second step", default=True)
    idle_minutes = models.PositiveSmallIntegerField("sign out after minutes without use", null=True, blank=True)
    session_hours = models.PositiveSmallIntegerField("sign out after hours", null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


Row = TypeVar("Row", bound=models.Model, covariant=True)


class LabQuerySet(models.QuerySet[Row]):
    """The first wall: every read names its lab. The second is row-level security (labportal/labs/rls.py)."""

    def of(self, lab: "Lab | uuid.UUID") -> Self:
        """The lab's rows; of what hangs on a pairing, only those that the running request may see (labs/scope.py)."""
        rows = self.filter(lab_id=lab.pk if isinstance(lab, Lab) else lab)
        path, pairings = getattr(self.model, "pairing_path", ""), scope.current()
        return rows if pairings is None or not path else rows.filter(**{f"{path}__in": pairings})


class LabScoped(models.Model):
    """A record of one lab. Its table must be guarded by `ProtectTable` in the migration that creates it; one that hangs
    on a pairing says by which `pairing_path`, and is guarded by `NarrowToPairings` too."""

    pairing_path: ClassVar[str] = ""  # of a lookup, for example "order__pairing_id"; empty: the lab's as a whole

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey(Lab, on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True


class Role(models.TextChoices):
    """What a member may do. Owner: all. Technician: works cases. Viewer: looks and downloads."""

    OWNER = "owner", "Owner"
    TECHNICIAN = "technician", "Technician"
    VIEWER = "viewer", "Viewer"


class Membership(LabScoped):
    """One person's role in one lab, for all of its pairings or only for some."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, default=Role.TECHNICIAN)
    pairings = ArrayField(models.UUIDField(), null=True, blank=True, help_text="Empty: all connections of the lab.")
    created_at = models.DateTimeField(auto_now_add=True)
    suspended_at = models.DateTimeField("sees nothing since", null=True, blank=True)
    last_seen_at = models.DateTimeField("last seen, to five minutes", null=True, blank=True)

    objects: ClassVar[models.Manager["Membership"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lab", "user"], name="labs_membership_lab_user")]

    def __str__(self) -> str:
        return f"{self.role} {self.pk}"

    @property
    def scope(self) -> scope.Scope:
        """The pairings whose cases this person sees; an owner sees all, always."""
        return None if self.may_manage else scope.scope_of(self.pairings)

    @property
    def may_work(self) -> bool:
        """Change a case, return it to the doctor, ask for its files."""
        return self.role in {Role.OWNER, Role.TECHNICIAN}

    @property
    def may_manage(self) -> bool:
        """Pair and un-pair, keys, people."""
        return self.role == Role.OWNER
