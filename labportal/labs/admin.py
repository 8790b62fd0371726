"""The operator's admin site: its door, what is taken off it, and the pages of people and labs.

People lie in a global table, memberships behind the labs' wall, so they are written by two database roles in two
transactions. No form writes both at once: a membership is added to a lab or on its own, never on a person's page.
"""

from typing import Any

from allauth.usersessions import admin as _sessions  # noqa: F401 - registers what is unregistered below
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django_q import admin as _queue  # noqa: F401 - registers what is unregistered below
from django_q.models import Failure, OrmQ, Schedule, Success

from labportal.labs import second_step
from labportal.labs.forms import LabForm, MemberFormSet, MembershipForm, PersonCreationForm, PersonForm
from labportal.labs.models import Lab, Membership, User
from labportal.labs.operators import may_operate, operators_door
from labportal.labs.read_only import OfferedFilters, ReadOnlyAdmin

admin.site.site_title = admin.site.site_header = "Lab portal"
admin.site.index_title = "Portal operator"
# The portal's own door, with its rate limits and second step; nobody sees a second form.
admin.site.login = operators_door  # type: ignore[method-assign]  # Django's documented way is a site of one's own
admin.site.has_permission = may_operate  # type: ignore[method-assign]  # as above

# Groups give nothing here; a session's key would let an operator act as that person; the one schedule is the tick,
# and one unreadable schedule row stops all of them; successes are not kept.
for _model in (Group, UserSession, Schedule, Success, Failure, OrmQ):
    admin.site.unregister(_model)


@admin.register(Failure)
class FailedTaskAdmin(ReadOnlyAdmin[Any]):
    """A task that raised. What is due is found again by itself, so there is nothing to send once more."""

    list_display = ("func", "cluster", "started", "stopped", "attempt_count")
    list_filter = ("cluster",)
    search_fields = ("func",)
    fields = ("name", "func", "args", "cluster", "started", "stopped", "attempt_count", "result")


@admin.register(OrmQ)
class QueuedTaskAdmin(ReadOnlyAdmin[Any]):
    list_display = ("task_id", "func", "key", "lock")
    list_filter = ("key",)
    fields = ("task_id", "func", "args", "key", "lock")


@admin.register(User)
class PersonAdmin(OfferedFilters, UserAdmin):  # type: ignore[type-arg]  # typed for AbstractUser, which has a username
    form = PersonForm
    add_form = PersonCreationForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    search_fields = ("email", "name")
    list_filter = ("is_staff", "is_active")
    filter_horizontal = ()
    readonly_fields = ("labs", "last_login", "created_at")
    fieldsets = (
        (None, {"fields": ("email", "name", "password", "labs")}),
        ("Rights", {"fields": ("is_active", "is_staff")}),
        ("Dates", {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "name", "usable_password", "password1", "password2")}),
    )

    actions = ("remove_second_steps",)

    @admin.action(description="Remove all second steps (who lost phone, key and codes)")
    def remove_second_steps(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for person in people:
            second_step.remove_all(person)
        self.message_user(request, "Removed. The people sign in with the password and set up a new second step.")

    @admin.display(description="labs")
    def labs(self, person: User) -> str:
        found = Membership.objects.filter(user_id=person.pk).select_related("lab").order_by("lab__name")
        return ", ".join(f"{membership.lab.name} ({membership.role})" for membership in found)

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool) -> None:
        """Operator is one switch: without every right, `is_staff` opens a site with no pages."""
        obj.is_superuser = obj.is_staff
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A person who left is made inactive: what they did stays theirs."""
        return False


class MemberInline(admin.TabularInline[Membership, Lab]):
    model = Membership
    form = MembershipForm
    formset = MemberFormSet
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Lab)
class LabAdmin(OfferedFilters, admin.ModelAdmin[Lab]):
    form = LabForm
    list_display = ("name", "slug", "time_zone", "tooth_notation", "created_at")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (MemberInline,)

    def has_delete_permission(self, request: HttpRequest, obj: Lab | None = None) -> bool:
        """It would take the lab's cases along and leave their files behind."""
        return False


@admin.register(Membership)
class MembershipAdmin(OfferedFilters, admin.ModelAdmin[Membership]):
    form = MembershipForm
    list_display = ("user", "lab", "role")
    list_select_related = ("user", "lab")
    list_filter = ("role", "lab")
    autocomplete_fields = ("user", "lab")

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return () if obj is None else ("user", "lab")
