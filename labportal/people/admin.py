"""The operator's pages of people, labs and memberships. Changes go through the same verbs as on an owner's pages.

The verbs act for one lab, as the app's role; the site reads as the operator's (labs/routers.py). So what a page changes
is one transaction of the app's role.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from labportal.audit.services import record
from labportal.labs import second_step
from labportal.labs.forms import LabForm, MemberFormSet, MembershipForm, PersonForm
from labportal.labs.models import Lab, Membership, Role, User
from labportal.labs.read_only import OfferedFilters
from labportal.labs.services import add_member
from labportal.labs.tenancy import in_lab
from labportal.people import members
from labportal.people.addresses import move_to
from labportal.people.mails import mail_password_link
from labportal.people.words import LAST_OWNER

Row = TypeVar("Row", Lab, Membership)


class KeepsAnOwner(admin.ModelAdmin[Row]):
    """All or nothing of a form; what would leave a lab without an owner is refused in words."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._kept(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._kept(request, super().delete_view, *args, **kwargs)

    def _kept(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        try:
            with transaction.atomic():
                return view(request, *args, **kwargs)
        except members.LastOwner:
            messages.error(request, LAST_OWNER)
            return redirect(request.path)


@admin.register(User)
class PersonAdmin(OfferedFilters, admin.ModelAdmin[User]):
    """Not Django's own page of people: there the operator chooses somebody's password, and could come in as them."""

    form = PersonForm
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    search_fields = ("email", "name")
    list_filter = ("is_staff", "is_active")
    readonly_fields = ("labs", "last_login", "created_at")
    fieldsets = (
        (None, {"fields": ("email", "name", "labs")}),
        ("Rights", {"fields": ("is_active", "is_staff")}),
        ("Dates", {"fields": ("last_login", "created_at")}),
    )
    actions = ("send_password_link", "remove_second_steps")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        return ((None, {"fields": ("email", "name")}),) if obj is None else super().get_fieldsets(request, obj)

    @admin.action(description="Send a link to choose a new password")
    def send_password_link(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for person in people.filter(is_active=True):
            self._send_link(request, person)

    def _send_link(self, request: HttpRequest, person: User) -> None:
        if mail_password_link(person, request):
            messages.success(request, f"A link to choose a password is on its way to {person.email}; it lives an hour.")
        else:
            messages.error(request, f"The mail to {person.email} could not be sent. Try again in a few minutes.")

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
        obj.email, obj.is_superuser = obj.email.lower(), obj.is_staff
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)
        if not change:
            self._send_link(request, obj)
        if change and "email" in form.changed_data:
            move_to(obj, before=form.initial["email"])
        if change and "is_active" in form.changed_data and not obj.is_active:
            members.close_log_in(user=obj)

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
class LabAdmin(OfferedFilters, KeepsAnOwner[Lab]):
    form = LabForm
    list_display = ("name", "slug", "time_zone", "tooth_notation", "created_at")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (MemberInline,)

    def save_model(self, request: HttpRequest, obj: Lab, form: ModelForm[Lab], change: bool) -> None:
        obj.pk = obj.pk or uuid4()  # Django takes it from a lab that is new, lest its members be looked up by it
        with in_lab(obj.pk):
            obj.save(force_insert=not change)
            if not change:
                record("lab.made", lab_id=obj.pk, target=obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """New owners first: the lab may change hands on one page."""
        formset.save(commit=False)
        for member in formset.new_objects:
            add_member(lab=form.instance, user=member.user, role=member.role)
        for member, _ in sorted(formset.changed_objects, key=lambda each: each[0].role != Role.OWNER):
            members.change_member(membership=member, role=member.role, pairings=member.pairings)
        for member in formset.deleted_objects:
            members.remove(membership=member)

    def has_delete_permission(self, request: HttpRequest, obj: Lab | None = None) -> bool:
        """It would take the lab's cases along and leave their files behind."""
        return False


@admin.register(Membership)
class MembershipAdmin(OfferedFilters, KeepsAnOwner[Membership]):
    form = MembershipForm
    list_display = ("user", "lab", "role", "suspended_at", "last_seen_at")
    list_select_related = ("user", "lab")
    list_filter = ("role", "lab")
    autocomplete_fields = ("user", "lab")
    actions = ("suspend", "let_in_again")

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return () if obj is None else ("user", "lab", "suspended_at", "last_seen_at")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """One at a time is removed, on its own page."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def save_model(self, request: HttpRequest, obj: Membership, form: ModelForm[Membership], change: bool) -> None:
        if change:
            members.change_member(membership=obj, role=obj.role, pairings=obj.pairings)
        else:
            obj.pk = add_member(lab=obj.lab, user=obj.user, role=obj.role).pk

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        members.remove(membership=obj)

    @admin.action(description="Suspend: sessions and API keys end")
    def suspend(self, request: HttpRequest, chosen: QuerySet[Membership]) -> None:
        for membership in chosen:
            try:
                members.suspend(membership=membership)
            except members.LastOwner:
                messages.error(request, LAST_OWNER)

    @admin.action(description="Let in again")
    def let_in_again(self, request: HttpRequest, chosen: QuerySet[Membership]) -> None:
        for membership in chosen:
            members.let_in_again(membership=membership)
