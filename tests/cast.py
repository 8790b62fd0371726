"""The fixed cast, committed once a run: two labs, their people, and one who must have no access to either."""

from copy import copy
from dataclasses import dataclass, fields

from django.db import connections

from labportal.labs.models import Lab, Role, User
from labportal.labs.routers import as_operator
from labportal.labs.services import add_member, create_lab, create_person

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Cast:
    """Lab A with owner Anna, technician Theo, viewer Vera; lab B with owner Bruno; operator Olga; Nina has no lab."""

    lab_a: Lab
    lab_b: Lab
    anna: User
    theo: User
    vera: User
    bruno: User
    olga: User
    nina: User

    def everyone(self) -> "list[Lab | User]":
        return [getattr(self, field.name) for field in fields(self)]


# As they were made, for `restore`: a test may have changed the cast's own objects.
_made: "list[Lab | User]" = []


def make_cast() -> Cast:
    lab_a = create_lab(name="Lab A", time_zone="Europe/Oslo")
    lab_b = create_lab(name="Lab B", tooth_notation=Lab.Notation.UNIVERSAL)

    def person(name: str, *, operator: bool = False) -> User:
        return create_person(email=f"{name}@example.com", password=PASSWORD, name=name.title(), operator=operator)

    cast = Cast(
        lab_a=lab_a,
        lab_b=lab_b,
        anna=person("anna"),
        theo=person("theo"),
        vera=person("vera"),
        bruno=person("bruno"),
        olga=person("olga", operator=True),
        nina=person("nina"),
    )
    join(cast)
    _made[:] = [copy(each) for each in cast.everyone()]
    return cast


def join(cast: Cast) -> None:
    """Everybody into their lab."""
    add_member(lab=cast.lab_a, user=cast.anna, role=Role.OWNER)
    add_member(lab=cast.lab_a, user=cast.theo, role=Role.TECHNICIAN)
    add_member(lab=cast.lab_a, user=cast.vera, role=Role.VIEWER)
    add_member(lab=cast.lab_b, user=cast.bruno, role=Role.OWNER)


def restore(cast: Cast) -> None:
    """The cast as it was: nobody more, nobody less, in the same labs, with the same passwords and rules. What belongs
    to others is gone before."""
    labs, people = ([each.pk for each in _made if isinstance(each, kind)] for kind in (Lab, User))
    with connections["operator"].cursor() as cursor:
        cursor.execute("DELETE FROM labs_membership")
        cursor.execute("DELETE FROM account_emailaddress")  # made anew from the person's own at the next log-in
        cursor.execute("DELETE FROM labs_user WHERE id <> ALL(%s)", [people])
        cursor.execute("DELETE FROM labs_lab WHERE id <> ALL(%s)", [labs])
    for each, made in zip(cast.everyone(), _made, strict=True):
        values = {f.attname: getattr(made, f.attname) for f in made._meta.concrete_fields if not f.primary_key}
        vars(each).update(values)  # a test may have read its own changes into it: the next would sign in by them
        with as_operator():
            type(each).objects.filter(pk=each.pk).update(**values)
    join(cast)
