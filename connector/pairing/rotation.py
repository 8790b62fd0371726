"""What pairings keep sealed, for `rotate_keys`."""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from connector.pairing.models import Pairing
from connector.pairing.trouble import lock
from labportal.labs.routers import as_operator
from labportal.labs.tenancy import in_lab
from labportal.rotation import Job, dont_wait
from labportal.sealing import seal, sealed_with_newest_key, unseal


def sealed_pairings() -> Iterable[Job]:
    """One job a pairing. Attempts to connect live 15 minutes and are left to end."""
    with as_operator():
        rows = list(Pairing.objects.values_list("lab_id", "pk"))
    return [partial(_rotate, lab_id, pairing_id) for lab_id, pairing_id in rows]


def _rotate(lab_id: UUID, pairing_id: UUID) -> bool:
    """Under the row lock that a refresh takes too, so that neither writes over the other."""
    with in_lab(lab_id):
        dont_wait()
        pairing = lock(lab_id, pairing_id)
        if not pairing.sealed_tokens or sealed_with_newest_key(pairing.sealed_tokens):
            return False
        values = unseal(pairing.sealed_tokens, lab_id=lab_id, owner_id=pairing_id)
        pairing.sealed_tokens = seal(values, lab_id=lab_id, owner_id=pairing_id)
        pairing.save(update_fields=["sealed_tokens"])
    return True
