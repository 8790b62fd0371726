"""A return waits with its pairing, however long that is stopped."""

from typing import Any

from connector.pairing.models import State
from connector.returns.models import Return, ReturnState
from connector.returns.sending import TRIES, send
from connector.returns.services import request_return
from labportal.labs.tenancy import in_lab
from tests.cast import Cast
from tests.orders.make import make_order, make_pairing


def test_a_return_is_not_refused_because_its_pairing_needs_a_sign_in(cast: Cast, committed: Any) -> None:
    pairing = make_pairing(cast.lab_a)
    order = make_order(cast.lab_a, pairing)
    with in_lab(cast.lab_a.pk):
        wanted = request_return(order=order, by=cast.theo, reason="margin", comment="")
        type(pairing).objects.of(cast.lab_a).update(state=State.NEEDS_PAIRING, reason="invalid_grant")
        Return.objects.of(cast.lab_a).update(attempts=TRIES + 5)
    send(cast.lab_a.pk, wanted.pk)
    with in_lab(cast.lab_a.pk):
        now = Return.objects.of(cast.lab_a).get(pk=wanted.pk)
    assert (now.state, now.problem) == (ReturnState.QUEUED, "invalid_grant")
    assert now.next_due is not None
