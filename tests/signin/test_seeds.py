"""A sealed seed opens for its person alone; copied into another row it opens nothing, and the log-in says so."""

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.db import connections, transaction
from django.db.migrations.executor import MigrationExecutor

from labportal.rotation import rotate_all
from labportal.sealing import SealError, seal
from labportal.signin import seeds
from tests.audit.conftest import since  # noqa: F401 - a fixture
from tests.orders.pages import text_of
from tests.signin import phone
from tests.signin.conftest import is_in, log_in
from tests.signin.test_second_step import STEP, codes_of, second
from tests.signin.test_trail import told

UNREADABLE = "The portal can't read your second step, so no code opens."


def step(person, kind="totp") -> Authenticator:
    return Authenticator.objects.get(user=person, type=kind)


def copy(kind, *, of, to):
    """As whoever can write to the database does: one person's sealed texts into another's row, nothing else."""
    theirs = step(of, kind).data
    Authenticator.objects.filter(user=to, type=kind).update(data=theirs)


def refusal(person, code, caplog):
    """The answer, in words on the log-in's page, to a code for a seed that does not open; the log has the cause."""
    client = log_in(person)
    answer = client.post(STEP, {"code": code})
    assert answer.status_code == 200
    assert not is_in(client)
    assert caplog.records[-1].getMessage().startswith("second_step_unreadable ")
    return text_of(answer)


def test_anothers_seed_in_my_row_opens_me_to_nobody(cast, enrol, caplog):
    _, theos = enrol(cast.theo)
    _, annas = enrol(cast.anna)
    copy("totp", of=cast.theo, to=cast.anna)
    with pytest.raises(SealError, match="foreign"):
        seeds.opened(step(cast.anna).data["secret"])
    for secret in (theos, annas):
        assert UNREADABLE in refusal(cast.anna, phone.code(secret), caplog)
    assert f"foreign person {cast.anna.pk}" in caplog.text
    client = log_in(cast.theo)
    second(client, phone.code(theos))
    assert is_in(client)


def test_anothers_recovery_codes_in_my_row_open_me_to_nobody(cast, enrol, caplog):
    theo, _ = enrol(cast.theo)
    anna, _ = enrol(cast.anna)
    theos, annas = codes_of(theo), codes_of(anna)
    copy("recovery_codes", of=cast.theo, to=cast.anna)
    with pytest.raises(SealError, match="foreign"):
        step(cast.anna, "recovery_codes").wrap().generate_codes()
    for code in (theos[0], annas[0]):
        assert UNREADABLE in refusal(cast.anna, code, caplog)


def test_the_row_moved_to_another_person_opens_nothing(cast, enrol, caplog):
    _, secret = enrol(cast.theo)
    Authenticator.objects.filter(type="totp").update(user=cast.anna)
    assert UNREADABLE in refusal(cast.anna, phone.code(secret), caplog)


def test_a_seed_opens_under_its_own_name_alone(cast, enrol):
    enrol(cast.theo)
    codes = step(cast.theo, "recovery_codes")
    Authenticator.objects.filter(pk=codes.pk).update(data={**codes.data, "seed": step(cast.theo).data["secret"]})
    with pytest.raises(SealError, match="foreign"):
        seeds.opened(step(cast.theo, "recovery_codes").data["seed"])


def test_a_clear_seed_in_the_row_is_refused_and_not_used(cast, enrol, caplog):
    _, secret = enrol(cast.theo)
    Authenticator.objects.filter(type="totp").update(data={"secret": secret})
    assert UNREADABLE in refusal(cast.theo, phone.code(secret), caplog)
    assert "unknown_key" in caplog.text


def test_what_was_sealed_for_nobody_opens_in_no_row_and_is_never_bound_to_it(cast, enrol, caplog):
    """As all rows were once; an old backup holds such texts still."""
    _, secret = enrol(cast.theo)
    old = seal({"text": secret}, lab_id=None, owner_id=seeds.PURPOSE)
    Authenticator.objects.filter(type="totp").update(data={"secret": old})
    step(cast.theo).save()
    assert UNREADABLE in refusal(cast.theo, phone.code(secret), caplog)
    assert step(cast.theo).data["secret"] == old


def test_a_refusal_is_written_down_as_a_failed_second_step(cast, enrol, caplog, since):  # noqa: F811 - the fixture
    _, secret = enrol(cast.theo)
    Authenticator.objects.filter(type="totp").update(data={"secret": secret})
    refusal(cast.theo, phone.code(secret), caplog)
    assert told(since(None), "second_step.failed", "kind") == ["totp"]


def test_guesses_at_an_unreadable_step_are_counted_too(cast, enrol):
    enrol(cast.theo)
    Authenticator.objects.filter(type="totp").update(data={"secret": "clear"})
    client = log_in(cast.theo)
    answers = [text_of(client.post(STEP, {"code": f"00000{guess}"})) for guess in range(6)]
    assert all(UNREADABLE in answer for answer in answers[:5])
    assert "Too many failed login attempts" in answers[5]


def test_the_page_about_ones_sign_in_shows_unreadable_recovery_codes_as_none_left(cast, enrol):
    client, _ = enrol(cast.theo)
    assert "10 codes left" in text_of(client.get("/accounts/security/"))
    Authenticator.objects.filter(type="recovery_codes").update(data={"seed": "clear", "used_mask": 0})
    assert "0 codes left" in text_of(client.get("/accounts/security/"))


@pytest.mark.parametrize("page", ["", "download/", "generate/"])
def test_whose_recovery_codes_can_not_be_read_makes_new_ones(cast, enrol, page):
    client, _ = enrol(cast.theo)
    Authenticator.objects.filter(type="recovery_codes").update(data={"seed": "clear", "used_mask": 0})
    answer = client.get(f"/accounts/2fa/recovery-codes/{page}", follow=True)
    assert answer.status_code == 200
    assert answer.wsgi_request.path == "/accounts/2fa/recovery-codes/generate/"
    assert ("can't read your recovery codes" in text_of(answer)) == (page != "generate/")
    client.post("/accounts/2fa/recovery-codes/generate/")
    assert len(codes_of(client)) == 10


def test_a_new_key_makes_no_copied_seed_its_new_persons(cast, enrol, settings):
    enrol(cast.theo)
    enrol(cast.anna)
    copy("totp", of=cast.theo, to=cast.anna)
    settings.TOKEN_KEYS = [f"newest:{Fernet.generate_key().decode()}", *settings.TOKEN_KEYS]
    rotated = rotate_all()
    assert (rotated.done, rotated.broken) == (3, 1)
    with pytest.raises(SealError, match="foreign"):
        seeds.opened(step(cast.anna).data["secret"])


# --- rows from before -------------------------------------------------------------------------------------------------


def migrate(*, back=False):
    """The migration itself, by the owner role, on the tables as they were then."""
    owner = connections["owner"]
    loader = MigrationExecutor(owner).loader
    name = ("signin", "0003_seeds_of_a_person")
    state = loader.project_state(name)
    (operation,) = loader.get_migration(*name).operations
    run = operation.database_backwards if back else operation.database_forwards
    with transaction.atomic("owner"), owner.schema_editor() as editor:
        run("signin", editor, state, state)


def test_rows_from_before_work_again_after_the_migration(cast, enrol):
    theo, secret = enrol(cast.theo)
    code = codes_of(theo)[0]
    migrate(back=True)
    for kind, name in (("totp", "secret"), ("recovery_codes", "seed")):
        with pytest.raises(SealError, match="foreign"):
            seeds.opened(step(cast.theo, kind).data[name])
    migrate()
    app, on_paper = log_in(cast.theo), log_in(cast.theo)
    second(app, phone.code(secret))
    second(on_paper, code)
    assert is_in(app)
    assert is_in(on_paper)


def test_the_migration_run_twice_changes_nothing_more(cast, enrol):
    enrol(cast.theo)
    before = step(cast.theo).data
    migrate()
    assert step(cast.theo).data == before


def test_without_the_key_of_a_row_the_migration_stops_and_leaves_all_as_it_was(cast, enrol, settings):
    enrol(cast.theo)
    migrate(back=True)
    before = list(Authenticator.objects.values_list("pk", "data"))
    settings.TOKEN_KEYS = [f"other:{Fernet.generate_key().decode()}"]
    with pytest.raises(RuntimeError, match="TOKEN_KEYS lacks"):
        migrate()
    assert list(Authenticator.objects.values_list("pk", "data")) == before
