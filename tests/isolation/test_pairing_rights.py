"""A person may be given some of a lab's pairings only: what hangs on another one is missing for them, on every page.

Each wall is proven alone, as for another lab's rows (test_access_filter_removed.py); with both taken away every page
shows the other pairing, so each line can fail.
"""

import uuid
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test import Client

from connector.intake.models import Notification
from connector.orders.models import Event, Order, Restoration, Revision, ScanFile, SeenBy, TimelineEvent
from connector.pairing.models import Pairing
from connector.returns.models import Return
from labportal.labs import scope
from labportal.labs.models import Lab, LabQuerySet, Membership, Role
from labportal.labs.services import add_member
from labportal.labs.tenancy import in_lab, name_lab, narrow_to
from tests.cast import Cast
from tests.isolation.test_access_filter_removed import ACTS, PAGES, acts_that_change, pages_that_show
from tests.isolation.test_every_url import ask, seen_by
from tests.isolation.world import World, make_world

OWNERS = ("people",)
SEEN_BY_THEO = {name for name in PAGES if not name.startswith(("export", *OWNERS))}
DONE_BY_THEO = {"mark a case", "return a case", "download several"}
HANG_ON_A_PAIRING = (
    Pairing,
    Order,
    Revision,
    ScanFile,
    Restoration,
    TimelineEvent,
    SeenBy,
    Event,
    Return,
    Notification,
)

Two = tuple[World, World]


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level("CRITICAL"):
        yield


@pytest.fixture
def given(committed: None, cast: Cast) -> Two:
    """Two pairings of lab A, each with one of everything: Theo's, and the other one."""
    return make_world(cast.lab_a, cast.anna, "QQalphaQQ"), make_world(cast.lab_a, cast.anna, "QQgammaQQ")


@pytest.fixture
def theo(cast: Cast, given: Two, client_of: Callable[..., Client]) -> Client:
    """Technician of lab A, for the first pairing only."""
    add_member(lab=cast.lab_a, user=cast.theo, role=Role.TECHNICIAN, pairings=[given[0].pairing.pk])
    return client_of(cast.theo)


@pytest.fixture
def without_scope_filter(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Take the first wall between pairings away; the one between labs stays."""

    def of(self: Any, lab: Lab | UUID) -> Any:
        return self.filter(lab_id=lab.pk if isinstance(lab, Lab) else lab)

    return lambda: monkeypatch.setattr(LabQuerySet, "of", of)


def test_a_person_sees_the_cases_of_their_pairing_on_every_page(given: Two, theo: Client) -> None:
    assert pages_that_show(given[0], theo) == SEEN_BY_THEO


def test_a_person_sees_nothing_of_the_other_pairing_on_any_page(given: Two, theo: Client) -> None:
    assert pages_that_show(given[1], theo) == set()


def test_a_person_can_change_nothing_of_the_other_pairing(given: Two, theo: Client) -> None:
    before = theirs(given[1])
    acts_that_change(given[1], theo)
    assert theirs(given[1]) == before


def test_without_the_filter_the_policies_alone_show_nothing(
    given: Two, theo: Client, without_scope_filter: Callable[[], None]
) -> None:
    without_scope_filter()
    before = theirs(given[1])
    assert pages_that_show(given[1], theo) == set()
    acts_that_change(given[1], theo)
    assert theirs(given[1]) == before


def test_without_the_policies_the_filter_alone_shows_nothing(
    given: Two, theo: Client, without_row_level_security: Callable[[], Any]
) -> None:
    before = theirs(given[1])
    with without_row_level_security():
        assert pages_that_show(given[1], theo) == set()
        acts_that_change(given[1], theo)
    assert theirs(given[1]) == before


def test_with_neither_every_page_shows_the_other_pairing_and_every_act_reaches_it(
    given: Two, theo: Client, without_scope_filter: Callable[[], None], without_row_level_security: Callable[[], Any]
) -> None:
    without_scope_filter()
    with without_row_level_security():
        assert pages_that_show(given[1], theo) == SEEN_BY_THEO
        assert acts_that_change(given[1], theo) >= DONE_BY_THEO & set(ACTS)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "name", ["case", "case_return", "thumbnail", "revision_zip", "file", "preview", "picture", "workflow", "get_all",
             "try_again", "attention_try_again", "attention_dismiss", "attention_fetch", "reconciliation",
             "reconciliation_run"],
)  # fmt: skip
def test_an_id_of_the_other_pairing_answers_like_one_that_does_not_exist(
    name: str, method: str, given: Two, theo: Client
) -> None:
    ids = {**given[1].ids(), "picture_id": str(given[1].picture.pk)}
    missing = {key: value if key == "number" else str(uuid.uuid4()) for key, value in ids.items()}
    assert seen_by(ask(theo, name, method, ids)) == seen_by(ask(theo, name, method, missing))


def test_of_several_cases_only_the_allowed_ones_are_downloaded_as_if_the_others_were_missing(
    given: Two, theo: Client
) -> None:
    def names(*orders: object) -> bytes:
        answer: Any = theo.post("/cases/download", {"order": [str(order) for order in orders]})
        return b"".join(answer.streaming_content)

    mixed = names(given[0].order.pk, given[1].order.pk)
    assert len(mixed) == len(names(given[0].order.pk, uuid.uuid4()))
    assert b"gamma" not in mixed


def test_the_navigation_counts_only_the_cases_that_a_person_may_see(given: Two, theo: Client) -> None:
    nav = theo.get("/").context["nav"]
    assert {lane["key"]: lane["count"] for lane in nav["lanes"]}["inbox"] == 1


def test_a_filter_by_the_other_pairing_names_it_nowhere(given: Two, theo: Client) -> None:
    assert b"gamma" not in theo.get(f"/?connection={given[1].pairing.pk}").content


def test_a_person_who_is_given_no_pairing_sees_no_case(cast: Cast, given: Two, theo: Client) -> None:
    add_member(lab=cast.lab_a, user=cast.theo, role=Role.TECHNICIAN, pairings=[])
    assert pages_that_show(given[0], theo) | pages_that_show(given[1], theo) == set()


def test_an_owner_sees_every_pairing_whatever_stands_in_the_row(
    cast: Cast, given: Two, client_of: Callable[..., Client]
) -> None:
    add_member(lab=cast.lab_a, user=cast.anna, role=Role.OWNER, pairings=[given[0].pairing.pk])
    assert pages_that_show(given[1], client_of(cast.anna)) == {*SEEN_BY_THEO, *OWNERS}


def test_a_pairing_of_another_lab_in_the_row_opens_nothing(cast: Cast, given: Two, theo: Client) -> None:
    foreign = make_world(cast.lab_b, cast.bruno, "QQbetaQQ")
    add_member(lab=cast.lab_a, user=cast.theo, role=Role.TECHNICIAN, pairings=[foreign.pairing.pk])
    assert pages_that_show(foreign, theo) | pages_that_show(given[0], theo) == set()


def test_tasks_and_commands_see_every_pairing(cast: Cast, given: Two) -> None:
    with in_lab(cast.lab_a.pk):
        assert Order.objects.of(cast.lab_a).count() == 2


@pytest.mark.parametrize("model", HANG_ON_A_PAIRING, ids=lambda model: model.__name__)
def test_a_narrow_transaction_reads_no_row_of_another_pairing(model: Any, cast: Cast, given: Two) -> None:
    """The policies alone: no `of`."""
    path = f"{model.pairing_path}__in"
    with scope.seeing(frozenset([given[0].pairing.pk])), in_lab(cast.lab_a.pk):
        assert not model.objects.filter(**{path: [given[1].pairing.pk]}).exists()
        assert model.objects.exclude(**{path: [given[0].pairing.pk]}).count() == 0


def test_a_narrow_transaction_writes_no_row_of_another_pairing(cast: Cast, given: Two) -> None:
    with scope.seeing(frozenset([given[0].pairing.pk])), in_lab(cast.lab_a.pk):
        assert Order.objects.filter(pk=given[1].order.pk).update(notes="x") == 0
        assert Order.objects.filter(pk=given[0].order.pk).update(notes="x") == 1


def test_a_lab_that_is_named_past_us_shows_no_case(cast: Cast, given: Two) -> None:
    """Unset is closed: whoever names a lab without naming pairings sees none."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.lab_id', %s, true)", [str(cast.lab_a.pk)])
        assert (Order.objects.count(), Revision.objects.count(), Pairing.objects.count()) == (0, 0, 0)
        assert Membership.objects.exists()  # it hangs on no pairing


def test_a_transaction_can_be_narrowed_in_the_middle(cast: Cast, given: Two) -> None:
    with scope.seeing(None), transaction.atomic():
        name_lab(cast.lab_a.pk, None)
        assert Order.objects.count() == 2
        narrow_to(frozenset([given[0].pairing.pk]))
        assert Order.objects.count() == 1


def test_after_a_narrow_request_the_thread_sees_every_pairing_again(cast: Cast, given: Two, theo: Client) -> None:
    assert theo.get("/").status_code == 200
    assert scope.current() is None


def test_after_an_exception_the_thread_sees_every_pairing_again() -> None:
    def narrow_and_fail() -> None:
        with scope.seeing(frozenset()):
            scope.change(frozenset([uuid.uuid4()]))
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        narrow_and_fail()
    assert scope.current() is None


def theirs(world: World) -> list[object]:
    """What could have changed of a pairing's case."""
    with in_lab(world.order.lab_id):
        return [
            list(Order.objects.filter(pk=world.order.pk).values()),
            list(Revision.objects.filter(order=world.order).values()),
            TimelineEvent.objects.filter(order=world.order).count(),
            Return.objects.filter(order=world.order).count(),
            list(Pairing.objects.filter(pk=world.pairing.pk).values()),
        ]
