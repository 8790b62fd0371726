"""What would hurt most in a stranger's hands asks again who it is: an exact table, tried with a session of an hour ago.

A new address that takes a form must be entered in one of the two lists, or these tests fail.
"""

import re
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from labportal.labs.models import Membership, User
from labportal.labs.operators import ASK_NOTHING
from labportal.labs.tenancy import in_lab
from tests.cast import Cast
from tests.isolation.conftest import Worlds
from tests.isolation.routes import ROUTES
from tests.isolation.test_every_url import ELSEWHERE, ask, ids_of, walk
from tests.isolation.world import World, fingerprint

GET, POST = "GET", "POST"
# Keys, people, connections, how long cases are kept, exports, how people sign in.
ASKS: dict[str, dict[str, tuple[str, ...]]] = {
    "people": {
        "invite": (GET, POST), "invitation_resend": (POST,), "member": (GET, POST), "member_suspend": (GET, POST),
        "member_resume": (POST,), "member_remove": (GET, POST), "leave_lab": (GET, POST),
    },
    "connections": {
        "connect": (POST,), "connection_reconnect": (POST,), "choose_account": (GET, POST),
        "connection_unpair": (POST,),
    },
    "keys": {"api_keys": (GET,), "api_key_new": (POST,), "api_key_rotate": (POST,)},
    "keeping": {
        "retention_policy": (POST,), "case_release": (POST,), "lab_release": (POST,), "patient_remove": (POST,),
    },
    "exports": {"patient_data": (GET, POST), "patient_export": (POST,), "audit_export": (GET,)},
    "how a lab signs in": {
        "sign_in_rules": (GET, POST), "save_company": (POST,), "company_rules": (POST,), "remove_company": (POST,),
    },
    "one's own log-in": {
        "mfa_activate_totp": (GET, POST), "mfa_add_webauthn": (GET, POST), "mfa_generate_recovery_codes": (GET, POST),
        "mfa_edit_webauthn": (GET, POST), "mfa_remove_webauthn": (GET, POST), "account_email": (POST,),
    },
}  # fmt: skip
# They take a form of the lab's owner and do not ask.
DO_NOT_ASK = {
    "ends an access: must be quick when it is in the wrong hands": {"api_key_revoke", "invitation_withdraw"},
    "keeps more than before: a hold that is set takes nothing away": {"case_hold", "lab_hold"},
    "the daily work on a case": {
        "workflow", "get_all", "try_again", "case_return", "download_many", "attention_try_again", "attention_try_all",
        "attention_dismiss", "return_dismiss", "attention_fetch", "find_ask", "reconciliation_run",
    },
    "a connection stays what it is: asked, tried, or told what to fetch from now on": {
        "connection_sync", "connection_test", "connection_mode",
    },
    "name, time zone and tooth numbers; rules of sign-in stand elsewhere": {"lab_settings"},
    "reads, or goes to another of one's own labs": {"audit", "audit_check", "find", "search", "switch_lab"},
    "asks for the password itself": {"account_change_password"},
    "ends sessions, or is the door itself": {
        "usersessions_list", "account_logout", "account_login", "account_signup", "account_reauthenticate",
        "account_reset_password", "account_reset_password_from_key", "account_set_password",
        "account_confirm_login_code", "company_sign_in", "company_door", "mfa_index", "mfa_authenticate",
        "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_login_webauthn",
    },
    "the process answers": {"healthz", "demo_mails"},
}  # fmt: skip
# They end what the others need.
ENDING = ("account_logout", "usersessions_list")
EXPECTED = {(name, method) for group in ASKS.values() for name, methods in group.items() for method in methods}


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level("CRITICAL"):
        yield


def of_an_hour_ago(client: Client) -> Client:
    """The same session, confirmed an hour ago for the last time."""
    session = client.session
    shown = session["account_authentication_methods"]
    session["account_authentication_methods"] = [{**each, "at": time.time() - 3600} for each in shown]
    session.save()
    return client


def asks(answer: Any) -> bool:
    """Sent to the page that asks who it is; htmx or not."""
    return "reauthenticate" in answer.headers.get("Location", "").partition("?")[0]


@pytest.fixture
def anna(worlds: Worlds, cast: Cast, client_of: Any) -> Client:
    return of_an_hour_ago(client_of(cast.anna))


def test_the_owner_is_asked_again_at_exactly_these_and_nothing_changed(worlds: Worlds, anna: Client) -> None:
    ids, asked, changed = ids_of(worlds[0]), set(), []
    for name in sorted(ROUTES, key=lambda name: (name in ENDING, name)):
        for method in (GET, POST):
            before = fingerprint()
            answer: Any = ask(anna, name, method, ids)
            if (name, method) == ("account_email", POST):
                answer = anna.post(reverse(name), {"action_add": "", "email": "new@example.com"})
            if asks(answer) and "reauthenticate" not in name:  # the question itself goes from one form to the other
                asked.add((name, method))
                changed += [(name, method)] if fingerprint() != before else []
    assert asked ^ EXPECTED == set()
    assert changed == []


def test_every_address_that_takes_an_owners_form_is_in_one_of_the_lists() -> None:
    takes = {name for name, route in ROUTES.items() if route.post.split()[-1] in {"ok", "go"}}
    listed = {name for group in DO_NOT_ASK.values() for name in group}
    asking = {name for name, method in EXPECTED if method == POST}
    assert takes - listed - asking == set(), "a new form: does it ask again who it is, or why does it not?"
    assert listed & asking == set()


def test_just_confirmed_the_same_forms_do_their_work(worlds: Worlds, cast: Cast, client_of: Any) -> None:
    """The control: each of ours gets past the question."""
    ours = {(name, method) for name, method in EXPECTED if not name.startswith(("mfa_", "account_"))}
    ids, browser = ids_of(worlds[0]), client_of(cast.anna)
    assert {one for one in ours if asks(ask(browser, *one, ids))} == set()


# --- the operator's site


def forms_of(world: World, user: User, membership: Membership) -> dict[str, tuple[str, dict[str, str]]]:
    """Each kind of change that an operator makes."""
    pairings = reverse("admin:pairing_pairing_changelist")
    chosen = {"_selected_action": str(world.pairing.pk), "index": "0"}
    person = reverse("admin:labs_user_change", args=[user.pk])
    member = reverse("admin:labs_membership_change", args=[membership.pk])
    lab = {"name": "Renamed", "slug": "lab-a", "time_zone": "UTC", "tooth_notation": "fdi"}
    none = dict.fromkeys(("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS"), "0")
    people = {"_selected_action": str(user.pk), "index": "0"}
    return {
        "a person": (person, {"email": "taken@example.com", "name": "x", "is_active": "on"}),
        "a password": (reverse("admin:labs_user_changelist"), {**people, "action": "send_password_link"}),
        "second steps": (reverse("admin:labs_user_changelist"), {**people, "action": "remove_second_steps"}),
        "a new person": (reverse("admin:labs_user_add"), {"email": "new@example.com"}),
        "a lab": (
            reverse("admin:labs_lab_change", args=[world.order.lab_id]),
            {**lab, **{f"membership_set-{key}": value for key, value in none.items()}},
        ),
        "a membership": (member, {"role": "owner"}),
        "a removal": (f"{member}../delete/", {"post": "yes"}),
        "a key": (reverse("admin:lms_apikey_changelist"), {"_selected_action": str(world.key.pk), "action": "revoke"}),
        "un-pairing": (pairings, {**chosen, "action": "unpair", "confirm": "yes"}),
        "a look into cases": (
            reverse("break_glass"), {"lab": "lab-a", "reason": "Anna asked: ticket 4711", "minutes": "15"}
        ),
    }  # fmt: skip


@pytest.fixture
def forms(worlds: Worlds, cast: Cast) -> dict[str, tuple[str, dict[str, str]]]:
    with in_lab(cast.lab_a.pk):
        theo = Membership.objects.of(cast.lab_a).get(user=cast.theo)
    return forms_of(worlds[0], cast.theo, theo)


def everything() -> tuple[dict[str, str], list[Any]]:
    return fingerprint(), list(User.objects.order_by("pk").values())


def test_the_operators_site_asks_again_before_any_change(
    forms: dict[str, tuple[str, dict[str, str]]], cast: Cast, client_of: Any
) -> None:
    olga = of_an_hour_ago(client_of(cast.olga))
    before = everything()
    for what, (address, form) in forms.items():
        answer = olga.post(address, form, headers={"Referer": f"http://testserver{address}"})
        assert answer.headers.get("Location", "").startswith("/accounts/reauthenticate/?next=%2Fadmin%2F"), what
    assert everything() == before
    assert olga.get("/admin/").status_code == 200  # looking asks nothing


def test_control_just_confirmed_the_operator_is_let_on(
    forms: dict[str, tuple[str, dict[str, str]]], cast: Cast, client_of: Any
) -> None:
    olga = client_of(cast.olga)
    answers = {what: olga.post(*form) for what, form in forms.items()}
    assert not [what for what, answer in answers.items() if asks(answer)]


def test_every_other_address_of_the_site_asks_too(worlds: Worlds, cast: Cast, client_of: Any) -> None:
    """A new one does so by itself; what does not is named in operators.py."""
    olga, silent = of_an_hour_ago(client_of(cast.olga)), set()
    for name, pattern in sorted(walk(get_resolver().url_patterns), key=lambda one: one[0] == "admin:logout"):
        if name.startswith(ELSEWHERE) and "(?P" not in pattern:
            filled = re.sub(r"<uuid:\w+>", str(uuid4()), pattern)
            if not asks(olga.post("/" + re.sub(r"<[\w:]+>", "0", filled))):
                silent.add(name)
    assert silent == ASK_NOTHING
