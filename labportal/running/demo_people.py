"""The demo's cast: two labs, four people and an operator. Fixed, so that a restart finds them again."""

from dataclasses import dataclass

from connector.lms.models import ApiKey
from connector.lms.services import make_key, revoke_key
from connector.pairing.models import LINKED, Pairing
from labportal.labs.models import Lab, Role
from labportal.labs.routers import as_operator
from labportal.labs.services import LabExists, add_member, create_lab, create_person
from labportal.labs.tenancy import in_lab

PASSWORD = "demo-portal-2026"  # noqa: S105 - printed on the screen, for a demo on this machine only


@dataclass(frozen=True)
class DemoLab:
    name: str
    time_zone: str
    notation: str


LABS = (
    DemoLab("Nordlicht Dental", "Europe/Oslo", Lab.Notation.FDI),
    DemoLab("Harbour Ceramics", "America/New_York", Lab.Notation.UNIVERSAL),
)
PEOPLE = (
    ("Mara Lind", "owner@nordlicht.example", "Nordlicht Dental", Role.OWNER),
    ("Jonas Berg", "technician@nordlicht.example", "Nordlicht Dental", Role.TECHNICIAN),
    ("Ida Holm", "viewer@nordlicht.example", "Nordlicht Dental", Role.VIEWER),
    ("Sam Rivera", "owner@harbour.example", "Harbour Ceramics", Role.OWNER),
)
OPERATOR = ("Portal Operator", "operator@portal.example")


def make_people() -> list[dict[str, str]]:
    """Labs and log-ins, made or found; returns what the demo prints."""
    labs = {demo.name: _lab(demo) for demo in LABS}
    printed = []
    for name, email, lab, role in PEOPLE:
        user = create_person(email=email, password=PASSWORD, name=name)
        add_member(lab=labs[lab], user=user, role=role)
        printed.append({"email": email, "password": PASSWORD, "lab": lab, "role": str(role)})
    create_person(email=OPERATOR[1], password=PASSWORD, name=OPERATOR[0], operator=True)
    return [*printed, {"email": OPERATOR[1], "password": PASSWORD, "lab": "", "role": "operator"}]


def _lab(demo: DemoLab) -> Lab:
    try:
        return create_lab(name=demo.name, time_zone=demo.time_zone, tooth_notation=demo.notation)
    except LabExists:
        with as_operator():
            return Lab.objects.get(name=demo.name)


def make_keys() -> list[dict[str, str]]:
    """A fresh REST key for each lab; those of an earlier start end."""
    printed = []
    for demo in LABS:
        with as_operator():
            lab = Lab.objects.get(name=demo.name)
        with in_lab(lab.pk):
            for old in ApiKey.objects.of(lab).filter(name="Demo", revoked_at=None):
                revoke_key(key=old)
            _, text = make_key(lab=lab, name="Demo", by=None)
        printed.append({"lab": demo.name, "key": text})
    return printed


def connections() -> list[dict[str, str]]:
    """The pairings there are."""
    with as_operator():
        pairings = list(Pairing.objects.filter(state__in=LINKED).select_related("lab"))
    return [{"lab": pairing.lab.name, "account": pairing.account_id} for pairing in pairings]
