"""Admin pages that show and change nothing, and never let an address ask about a column that they do not show."""

from typing import Any, TypeVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

Row = TypeVar("Row", bound=models.Model)

# What Django's own filters put behind a field's name in the address.
ENDINGS = ("", "__exact", "__id__exact", "__isnull", "__gte", "__lt")


class OfferedFilters:
    """Django lets an address filter by any column of the table: `?patient_last__startswith=S` would answer, letter by
    letter, what the page hides. Here only the filters of the page count; all else is a bad request."""

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        offered = self.get_list_filter(request)  # type: ignore[attr-defined]  # a mixin of ModelAdmin
        names = [getattr(item, "parameter_name", item) for item in offered]
        return any(lookup == f"{name}{ending}" for name in names for ending in ENDINGS)


class ReadOnlyAdmin(OfferedFilters, admin.ModelAdmin[Row]):
    """Looked at, never added, changed or deleted. Subclasses name every field they show."""

    actions: Any = None
    show_full_result_count = False  # a count over all labs on every page

    def has_add_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return False


def words(choices: type[models.TextChoices], code: str) -> str:
    """A code's label; an unknown code is shown as it is, never hidden."""
    return str(choices(code).label) if code in choices.values else code


def choice_filter(field: str, choices: type[models.TextChoices], title: str = "") -> type[admin.SimpleListFilter]:
    """A filter by a code column whose choices are not in the model (choices that grow force no migration)."""

    class ChoiceFilter(admin.SimpleListFilter):
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(value, str(label)) for value, label in choices.choices]

        def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
            return queryset.filter(**{field: self.value()}) if self.value() in choices.values else queryset

    ChoiceFilter.title = title or field.replace("_", " ")
    return ChoiceFilter
