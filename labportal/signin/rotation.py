"""What sign-in keeps sealed, for `rotate_keys`: seeds of second steps, and the secrets of labs' providers."""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db import transaction

from labportal.labs.routers import as_operator
from labportal.labs.tenancy import in_lab
from labportal.rotation import Job, dont_wait
from labportal.sealing import sealed_with_newest_key
from labportal.signin import seeds
from labportal.signin.models import SignOn


def sealed_in_sign_in() -> Iterable[Job]:
    """One job a row."""
    with as_operator():
        sign_ons = list(SignOn.objects.values_list("lab_id", "pk"))
    steps = Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).values_list("pk", flat=True)
    return [*(partial(_rotate_step, pk) for pk in steps), *(partial(_rotate_sign_on, *ids) for ids in sign_ons)]


def _rotate_step(pk: int) -> bool:
    with transaction.atomic():
        dont_wait()
        row = Authenticator.objects.select_for_update().filter(pk=pk).first()
        old = [
            name
            for name in seeds.NAMES
            if row is not None and name in row.data and not sealed_with_newest_key(row.data[name])
        ]
        if row is None or not old:
            return False
        for name in old:
            row.data[name] = seeds.bind(seeds.opened(row.data[name]), row.user_id, name)
        row.save(update_fields=["data"])
    return True


def _rotate_sign_on(lab_id: UUID, pk: UUID) -> bool:
    with in_lab(lab_id):
        dont_wait()
        row = SignOn.objects.of(lab_id).select_for_update().filter(pk=pk).first()
        if row is None or sealed_with_newest_key(row.sealed_secret):
            return False
        row.set_secret(row.secret)
        row.save(update_fields=["sealed_secret"])
    return True
