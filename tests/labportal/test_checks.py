"""Settings and roles that would quietly tear down a wall are found before the first request."""

import pytest
from cryptography.fernet import Fernet
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from connector.pairing import vendor
from labportal.startup import refuse_unsafe_roles, refuse_unsafe_settings
from tests.database import _prepared as prepared

KEY = Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def _profile_is_read_anew():
    vendor.profile.cache_clear()
    yield
    vendor.profile.cache_clear()


@pytest.fixture
def production(settings):
    """A sound installation at an https address."""
    settings.SECURE, settings.SECRET_KEY_GIVEN, settings.SIMULATOR = True, True, False
    settings.TOKEN_KEYS, settings.OPERATORS_NEED_MFA = [f"k1:{KEY}"], True
    return settings


OURS = ("labs.", "pairing.", "orders.")


def ids(**options):
    return [message.id for message in run_checks(**options) if (message.id or "").startswith(OURS)]


def test_a_sound_installation_is_not_complained_about(production):
    assert ids() == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"SECRET_KEY_GIVEN": False}, "labs.E001"),
        ({"TOKEN_KEYS": []}, "labs.E002"),
        ({"SIMULATOR": True}, "labs.E003"),
        ({"FAULTS_ALLOWED": True}, "labs.E006"),
        ({"TOKEN_KEYS": ["k1:too-short"]}, "pairing.E001"),
        ({"TOKEN_KEYS": [KEY]}, "pairing.E001"),
        ({"TOKEN_KEYS": [f":{KEY}"]}, "pairing.E001"),
        ({"TOKEN_KEYS": [f"k1:{KEY}", "k2:ö"]}, "pairing.E001"),
        ({"ITERO_PROFILE": "/nowhere/profile.toml"}, "pairing.E002"),
        ({"STORAGES": {"scans": {"BACKEND": "storages.backends.s3.S3Storage"}}}, "orders.E001"),
    ],
)
def test_each_bad_setting_is_found(production, change, found):
    for name, value in change.items():
        setattr(production, name, value)
    assert ids() == [found]


AWAY = "db.example.org"
DATABASE = {"ENGINE": "django.db.backends.postgresql", "HOST": AWAY}
BUCKET = {"BACKEND": "connector.orders.bucket.Bucket", "OPTIONS": {"endpoint_url": f"http://{AWAY}:9000"}}
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def far_away(production, monkeypatch):
    """Its database, mail server and bucket are on other machines, and spoken to as one should; a function that changes
    a setting, or the database's options."""

    def change(**values):
        for name, value in values.items():
            if name == "database":
                monkeypatch.setitem(production.DATABASES, "default", DATABASE | value)
            else:
                setattr(production, name, value)

    change(
        database={"OPTIONS": {"sslmode": "verify-full"}},
        EMAIL_BACKEND=SMTP,
        EMAIL_HOST=AWAY,
        EMAIL_USE_TLS=True,
        STORAGES={"scans": BUCKET | {"OPTIONS": {"endpoint_url": f"https://{AWAY}"}}},
    )
    return change


PLAIN = [
    ({"database": {}}, "labs.E007"),
    ({"database": {"OPTIONS": {"sslmode": "require"}}}, "labs.E007"),
    ({"database": {"HOST": "192.0.2.7"}}, "labs.E007"),
    ({"EMAIL_USE_TLS": False}, "labs.E008"),
    ({"STORAGES": {"scans": BUCKET}}, "orders.E002"),
]


@pytest.mark.parametrize(("change", "found"), PLAIN)
def test_a_plain_line_to_another_machine_is_refused(far_away, change, found):
    assert ids() == []
    far_away(**change)
    assert ids() == [found]
    with pytest.raises(ImproperlyConfigured, match=found):
        refuse_unsafe_settings()
    far_away(SECURE=False)
    assert ids() == [], "a demo is on one machine"


@pytest.mark.parametrize("host", ["", "localhost", "127.0.0.1", "::1", "/run/postgresql"])
def test_a_line_inside_the_machine_may_be_plain(far_away, host):
    far_away(database={"HOST": host}, EMAIL_HOST=host, EMAIL_USE_TLS=False)
    assert ids() == []


def test_a_line_that_nobody_else_is_on_may_be_plain(far_away):
    far_away(PLAIN_HOSTS=[AWAY], database={}, EMAIL_USE_TLS=False, STORAGES={"scans": BUCKET})
    assert ids() == []


def test_a_mail_server_may_speak_tls_from_the_first_byte(far_away):
    far_away(EMAIL_USE_TLS=False, EMAIL_USE_SSL=True)
    assert ids() == []


def test_the_complaint_about_a_key_does_not_show_it(production):
    production.TOKEN_KEYS = ["k1:secret-but-wrong"]
    assert not [message for message in run_checks() if "secret-but-wrong" in str(message)]


def test_a_profile_that_is_no_toml_is_found(production, tmp_path):
    profile = tmp_path / "profile.toml"
    profile.write_text("this is = = not toml")
    production.ITERO_PROFILE = str(profile)
    assert ids() == ["pairing.E002"]


def test_without_https_a_demo_may_use_the_simulator_and_throw_away_keys(production):
    production.SECURE, production.SECRET_KEY_GIVEN, production.SIMULATOR = False, False, True
    production.TOKEN_KEYS = []
    assert ids() == []


BASE = {"timeout": 100, "retry": 400, "workers": 2, "queue_limit": 2, "bulk": 1}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"retry": 399}, ["labs.E004"]),
        ({"timeout": 101}, ["labs.E004"]),
        ({"workers": 1}, ["labs.E004"]),
        ({"queue_limit": 4}, ["labs.E004"]),
        ({"ALT_CLUSTERS": {"downloads": {"timeout": 200, "retry": 800}}}, []),
        ({"ALT_CLUSTERS": {"downloads": {"timeout": 200}}}, ["labs.E004"]),
    ],
)
def test_a_queue_whose_tasks_could_run_twice_is_found(production, change, found):
    production.Q_CLUSTER = BASE | change
    assert ids() == found


@pytest.fixture
def superuser_as(committed):
    """Let an alias reach the database as a superuser, whom no wall stops."""
    changed = []

    def become(alias):
        assert prepared.server is not None
        user = prepared.server.superuser_url.split("//", 1)[1]
        name, _, rest = user.partition(":")
        connection = connections[alias]
        changed.append((connection, dict(connection.settings_dict)))
        connection.close()
        connection.settings_dict.update(USER=name, PASSWORD=rest.partition("@")[0])

    yield become
    for connection, before in changed:
        connection.close()
        connection.settings_dict.update(before)


def test_a_role_that_no_wall_stops_is_found(superuser_as, production):
    assert ids(databases=["default", "operator"]) == []
    superuser_as("operator")
    assert ids(databases=["default", "operator"]) == ["labs.E005"]


def test_web_and_worker_refuse_to_start_with_bad_settings(production, committed):
    refuse_unsafe_settings()
    refuse_unsafe_roles()
    production.TOKEN_KEYS = []
    with pytest.raises(ImproperlyConfigured, match=r"labs\.E002"):
        refuse_unsafe_settings()
