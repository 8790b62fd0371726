"""Everybody who may come to an address: what is theirs, what is another's, and the marks they must never see."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from django.test import Client
from django.utils import timezone

from connector.lms.services import Limits, make_key
from connector.orders.models import Revision, RevisionState
from labportal.labs.models import Lab, Membership, Role, User
from labportal.labs.services import add_member, create_person
from labportal.labs.tenancy import in_lab
from tests.cast import PASSWORD, Cast
from tests.isolation.world import World, make_world
from tests.orders.make import make_order

SignedIn = Callable[[User], Client]


@dataclass(frozen=True)
class Worlds:
    """Lab A has two connections with one of everything each, lab B one."""

    alpha: World
    gamma: World
    beta: World

    def all(self) -> tuple[World, ...]:
        return (self.alpha, self.gamma, self.beta)


@dataclass(frozen=True)
class Visitor:
    """`own` is a world that this one may see (None: no lab at all), `others` those of which no word may reach them;
    `person` is the column of tests/isolation/routes.py."""

    name: str
    person: str
    open: Callable[[], Client]
    own: World | None
    others: tuple[World, ...]


def make_worlds(cast: Cast) -> Worlds:
    """Lab B's own name is a word that nobody else may read, and each lab has a scan that stopped."""
    worlds = Worlds(
        alpha=make_world(cast.lab_a, cast.anna, "QQalphaQQ"),
        gamma=make_world(cast.lab_a, cast.anna, "QQgammaQQ"),
        beta=make_world(cast.lab_b, cast.bruno, "QQbetaQQ"),
    )
    with in_lab(cast.lab_b.pk):
        Lab.objects.filter(pk=cast.lab_b.pk).update(name=f"Lab {worlds.beta.mark}")
    for world in worlds.all():
        _stopped(world)
    return worlds


def _stopped(world: World) -> None:
    """Another case of the connection, whose download was given up: "Try all again" is about it."""
    lab = world.order.lab
    order = make_order(lab, world.pairing, f"{world.mark}6", patient_last=world.mark)
    with in_lab(lab.pk):
        Revision.objects.of(lab).filter(order=order).update(state=RevisionState.DEAD, reason="download_failed")


def make_visitors(cast: Cast, worlds: Worlds, signed_in: SignedIn) -> dict[str, Visitor]:
    """The cast of the issue: each is signed in anew for each address, since some addresses sign out."""
    alpha, gamma, beta = worlds.alpha, worlds.gamma, worlds.beta
    sam, nora = _suspended(cast), _narrow(cast, alpha)
    keys = {
        "key of A": _key(cast.lab_a),
        "key of B": _key(cast.lab_b),
        "key for one connection of A": _key(cast.lab_a, pairings=[alpha.pairing.pk]),
    }

    def person(user: User) -> Callable[[], Client]:
        return lambda: signed_in(user)

    def system(name: str) -> Callable[[], Client]:
        return lambda: Client(headers={"Authorization": f"Bearer {keys[name]}"}, raise_request_exception=False)

    everybody = [
        Visitor("anonymous", "anonymous", Client, None, worlds.all()),
        Visitor("nobody's", "nina", person(cast.nina), None, worlds.all()),
        Visitor("operator", "olga", person(cast.olga), None, worlds.all()),
        Visitor("owner of A", "anna", person(cast.anna), alpha, (beta,)),
        Visitor("technician of A", "theo", person(cast.theo), alpha, (beta,)),
        Visitor("viewer of A", "vera", person(cast.vera), alpha, (beta,)),
        Visitor("suspended member of A", "nina", person(sam), None, worlds.all()),
        Visitor("technician for one connection of A", "theo", person(nora), alpha, (gamma, beta)),
        Visitor("owner of B", "bruno", person(cast.bruno), beta, (alpha, gamma)),
        Visitor("key of A", "anonymous", system("key of A"), alpha, (beta,)),
        Visitor("key of B", "anonymous", system("key of B"), beta, (alpha, gamma)),
        Visitor(
            "key for one connection of A", "anonymous", system("key for one connection of A"), alpha, (gamma, beta)
        ),
    ]
    return {visitor.name: visitor for visitor in everybody}


def _suspended(cast: Cast) -> User:
    sam = create_person(email="sam@example.com", password=PASSWORD, name="Sam")
    add_member(lab=cast.lab_a, user=sam, role=Role.TECHNICIAN)
    with in_lab(cast.lab_a.pk, user_id=sam.pk):
        Membership.objects.of(cast.lab_a).filter(user=sam).update(suspended_at=timezone.now())
    return sam


def _narrow(cast: Cast, world: World) -> User:
    nora = create_person(email="nora@example.com", password=PASSWORD, name="Nora")
    add_member(lab=cast.lab_a, user=nora, role=Role.TECHNICIAN, pairings=[world.pairing.pk])
    return nora


def _key(lab: Lab, pairings: Collection[UUID] | None = None) -> str:
    return make_key(lab=lab, name="LMS", by=None, limits=Limits(pairings=pairings))[1]
