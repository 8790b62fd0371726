"""Who may use which address. One line an address: GET, then POST, for the people in the order of PEOPLE.

ok = a page · go = done, and on to another page · login = to the log-in · own = to the operator's own site · 403 = not
this role · 404 = no such thing (for them) · 405 = not this method. Lab A owns the things asked for: Bruno owns lab B,
Nina has no lab, Olga is the operator.
"""

from dataclasses import dataclass, field

PEOPLE = ("anonymous", "nina", "olga", "bruno", "vera", "theo", "anna")
NOBODY = "405 405 405 405 405 405 405"
EVERYBODY = "ok ok ok ok ok ok ok"


@dataclass(frozen=True)
class Route:
    """`takes` are the names of the address's ids, `form` what is posted, `uses` another id of the world for one."""

    get: str
    post: str
    takes: tuple[str, ...] = ()
    form: dict[str, str] = field(default_factory=dict)
    uses: dict[str, str] = field(default_factory=dict)


CASE, FILE, CONNECTION = ("order_id",), ("order_id", "file_id"), ("pairing_id",)
MEMBER = ("membership_id",)
KEY_OF_LAB, FORM = ("api_key_id",), "7d9a3c10-5c1e-4f57-9d6e-0e7f5f3f2b11"
#                  anonymous nina olga bruno vera theo anna
READ, LIST =       "login 403 own 404 ok ok ok",   "login 403 own ok ok ok ok"  # fmt: skip
WORK, RETURN =     "login 403 own 404 403 go go",  "login 403 own 404 403 ok ok"  # fmt: skip
OWN, OWN_LAB =     "login 403 own 404 403 403 go", "login 403 own go 403 403 go"  # fmt: skip
OWNERS, OWNERS_PERSON = "login 403 own ok 403 403 ok", "login 403 own 404 403 403 ok"  # fmt: skip
SIGNED_IN, AWAY =  "login ok ok ok ok ok ok",      "login go go go go go go"  # fmt: skip
STRANGER, KEY =    "ok go go go go go go",         "401 401 401 401 401 401 401"  # fmt: skip
LOOK_ONLY = "login 405 405 405 405 405 405"
NO_STEP = "login 404 404 404 404 404 404"  # nobody of the cast has a second step, or a session of that number
STRANGER_GONE = "login go go go go go go"
NOTHING =          "404 404 404 404 404 404 404"  # fmt: skip

ROUTES = {
    "inbox": Route(LIST, NOBODY),
    "search": Route(NOBODY, "login 403 own go go go go", (), {"q": "A"}),
    "case": Route(READ, NOBODY, CASE),
    "case_mark": Route(READ, NOBODY, CASE),
    "workflow": Route(NOBODY, WORK, CASE, {"workflow": "done"}),
    "get_all": Route(NOBODY, WORK, CASE),
    "try_again": Route(NOBODY, WORK, CASE),
    "case_return": Route(RETURN, WORK, CASE, {"reason": "bite", "comment": "too high"}),
    "return_dismiss": Route(NOBODY, WORK, CASE, {"note": "rang the practice"}),
    "thumbnail": Route(READ, NOBODY, CASE),
    "revision_zip": Route(READ, NOBODY, ("order_id", "number")),
    "file": Route(READ, NOBODY, FILE),
    "preview": Route(READ, NOBODY, FILE),
    "picture": Route(READ, NOBODY, FILE, uses={"file_id": "picture_id"}),
    "download_many": Route(NOBODY, "login 403 own go ok ok ok", (), {"order": "{order_id}"}),
    # What stopped, and what Align says of it: all members look and ask, owner and technician act.
    "attention": Route(LIST, NOBODY),
    "attention_try_again": Route(NOBODY, WORK, CASE),
    "attention_try_all": Route(NOBODY, "login 403 own go 403 go go"),
    "attention_dismiss": Route(NOBODY, WORK, CASE, {"number": "{number}", "note": "sent again"}),
    "attention_fetch": Route(NOBODY, WORK, (), {"rx_id": "rx-00000001", "connection": "{pairing_id}"}),
    "find": Route(LIST, "login 403 own go go go go", (), {"q": "rx-00000001"}),
    "find_ask": Route(NOBODY, LIST, (), {"q": "rx-00000001"}),
    "reconciliation": Route(READ, NOBODY, CONNECTION),
    "reconciliation_run": Route(NOBODY, WORK, CONNECTION),
    # Connections: all members look, the owner acts.
    "connections": Route(LIST, NOBODY),
    "connect": Route(NOBODY, OWN_LAB),
    "connect_callback": Route(OWN_LAB, NOBODY),
    "choose_account": Route("login 403 own 404 403 403 ok", OWN, ("attempt_id",), {"account": "none"}),
    "connection_reconnect": Route(NOBODY, OWN, CONNECTION),
    "connection_sync": Route(NOBODY, OWN, CONNECTION),
    "connection_mode": Route(NOBODY, OWN, CONNECTION, {"fetch_mode": "on_click"}),
    "connection_test": Route(NOBODY, OWN, CONNECTION),
    "connection_unpair": Route(NOBODY, OWN, CONNECTION, {"confirm": "yes"}),
    # The lab's audit: the owner's alone; exporting asks again who it is.
    "audit": Route("login 403 own ok 403 403 ok", OWN_LAB, (), {"case": "A"}),
    "audit_export": Route("login 403 own ok 403 403 ok", NOBODY),
    "audit_check": Route(NOBODY, OWN_LAB),
    "switch_lab": Route(NOBODY, "login 403 own go go go go", (), {"lab": "lab-b"}),
    # How long cases are kept, holds, one patient's data: the owner's.
    "data": Route("login 403 own ok 403 403 ok", NOBODY),
    "retention_policy": Route(NOBODY, OWN_LAB, (), {"days": "400"}),
    "lab_hold": Route(NOBODY, OWN_LAB, (), {"reason": "asked for"}),
    "case_hold": Route(NOBODY, OWN, CASE, {"reason": "asked for"}),
    "case_release": Route(NOBODY, OWN, CASE),
    "lab_release": Route(NOBODY, OWN_LAB),
    "patient_data": Route(OWN_LAB, "login 403 own ok 403 403 ok", (), {"q": "A"}),
    "patient_export": Route(NOBODY, "login 403 own go 403 403 ok", (), {"order": "{order_id}"}),
    "patient_remove": Route(NOBODY, "login 403 own go 403 403 ok", (), {"order": "{order_id}"}),
    # People and settings: the owner's, but for leaving.
    "people": Route(OWNERS, NOBODY),
    "invite": Route(OWNERS, OWN_LAB, (), {"email": "new@example.com", "role": "viewer"}),
    "invitation_resend": Route(NOBODY, OWN, ("invitation_id",)),
    "invitation_withdraw": Route(NOBODY, OWN, ("invitation_id",)),
    "member": Route(OWNERS_PERSON, OWN, MEMBER, {"role": "viewer"}),
    "member_suspend": Route(OWNERS_PERSON, OWN, MEMBER),
    "member_resume": Route(NOBODY, OWN, MEMBER),
    "member_remove": Route(OWNERS_PERSON, OWN, MEMBER),
    "leave_lab": Route(LIST, "login 403 own go go go go"),
    "lab_settings": Route(OWNERS, OWNERS),
    # The links of our mails open nothing without their token; labs sign up only where a setting says so.
    "invitation_link": Route("go go go go go go go", NOBODY, ("token",)),
    "invitation": Route(NOTHING, NOTHING),
    "sign_up": Route(NOTHING, NOTHING),
    "sign_up_open": Route(NOTHING, NOTHING),
    "sign_up_link": Route(NOTHING, NOBODY, ("token",)),
    # API keys: the owner alone. A new one is shown on the answer to the form.
    "api_keys": Route(OWNERS, NOBODY),
    "api_key_new": Route(NOBODY, OWNERS, (), {"name": "LMS", "scopes": "orders:read", "which": "all", "form_id": FORM}),
    "api_key_rotate": Route(NOBODY, "login 403 own 404 403 403 ok", KEY_OF_LAB, {"grace": "7", "form_id": FORM}),
    "api_key_revoke": Route(NOBODY, OWN, KEY_OF_LAB),
    # Align's pushes: whoever knows the secret.
    "notify": Route(NOBODY, NOTHING, ("secret",)),
    # A lab's own system: a key, and no session, opens these (test_api_keys.py).
    "lms:orders": Route(KEY, NOBODY),
    "lms:order": Route(KEY, NOBODY, CASE),
    "lms:zip": Route(KEY, NOBODY, ("order_id", "number")),
    "lms:file": Route(KEY, NOBODY, FILE),
    "lms:openapi": Route(EVERYBODY, NOBODY),
    "lms:api-root": Route(NOTHING, NOTHING),
    # The process answers; the demo's mails exist only beside the simulator, which production refuses.
    "healthz": Route(EVERYBODY, EVERYBODY),
    "status": Route(NOTHING, NOBODY),  # without its token there is no such address
    "demo_mails": Route(EVERYBODY, EVERYBODY),
    # Log-in, by allauth. An address in a mail opens nothing without its key.
    "account_login": Route(STRANGER, STRANGER),
    "account_signup": Route(STRANGER, STRANGER),
    "account_logout": Route(SIGNED_IN, "login login login login login login login"),
    "account_inactive": Route(EVERYBODY, NOBODY),
    "account_reauthenticate": Route(SIGNED_IN, SIGNED_IN),
    "account_email": Route(SIGNED_IN, AWAY),
    "account_email_verification_sent": Route(EVERYBODY, NOBODY),
    "account_confirm_email": Route(EVERYBODY, NOTHING, ("key",)),
    "account_change_password": Route(SIGNED_IN, SIGNED_IN),
    "account_set_password": Route(AWAY, AWAY),
    "security": Route(SIGNED_IN, NOBODY),
    "company_sign_in": Route(EVERYBODY, EVERYBODY, (), {"door": "nobody@nowhere.example"}),
    "company_door": Route(EVERYBODY, EVERYBODY, ("door",)),
    "openid_connect_callback": Route(NOTHING, NOBODY, ("provider_id",)),
    "sign_in_rules": Route("login 403 own ok 403 403 ok", OWN_LAB),
    "save_company": Route(NOBODY, "login 403 own ok 403 403 ok"),
    "company_rules": Route(NOBODY, OWN_LAB),
    "remove_company": Route(NOBODY, OWN_LAB),
    "mfa_index": Route(AWAY, AWAY),
    "mfa_authenticate": Route(STRANGER_GONE, STRANGER_GONE),
    "mfa_reauthenticate": Route(AWAY, AWAY),
    "mfa_reauthenticate_webauthn": Route(AWAY, AWAY),
    "mfa_activate_totp": Route(SIGNED_IN, SIGNED_IN),
    "mfa_deactivate_totp": Route(NO_STEP, NO_STEP),
    "mfa_list_webauthn": Route(SIGNED_IN, LOOK_ONLY),
    "mfa_add_webauthn": Route(SIGNED_IN, SIGNED_IN),
    "mfa_edit_webauthn": Route(NO_STEP, NO_STEP, ("pk",)),
    "mfa_remove_webauthn": Route(NO_STEP, NO_STEP, ("pk",)),
    "mfa_login_webauthn": Route("login go go go go go go", "login go go go go go go"),
    "mfa_view_recovery_codes": Route(NO_STEP, LOOK_ONLY),
    "mfa_download_recovery_codes": Route(NO_STEP, NO_STEP),
    "mfa_generate_recovery_codes": Route(SIGNED_IN, SIGNED_IN),
    "account_confirm_login_code": Route(AWAY, AWAY),
    "account_reset_password": Route(EVERYBODY, EVERYBODY),
    "account_reset_password_done": Route(EVERYBODY, NOBODY),
    "account_reset_password_from_key": Route(EVERYBODY, EVERYBODY, ("uidb36", "key")),
    "account_reset_password_from_key_done": Route(EVERYBODY, NOBODY),
    "session_end": Route(NOBODY, NO_STEP, ("pk",)),
    "usersessions_list": Route(SIGNED_IN, AWAY),
}
