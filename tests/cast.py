"""The fixed cast, committed once a run: two labs, their people, and one who must have no access to either."""

from dataclasses import dataclass

from labportal.labs.models import Lab, Role, User
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
    add_member(lab=lab_a, user=cast.anna, role=Role.OWNER)
    add_member(lab=lab_a, user=cast.theo, role=Role.TECHNICIAN)
    add_member(lab=lab_a, user=cast.vera, role=Role.VIEWER)
    add_member(lab=lab_b, user=cast.bruno, role=Role.OWNER)
    return cast
