"""Settings as a real process reads them: from the environment, loudly, and strict at an https address."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOW = """
import json, sys
from django.conf import settings
print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}))
"""


def read(*names, **environment):
    """The settings of a fresh process that knows nothing but this environment."""
    return json.loads(run(SHOW, *names, **environment))


def run(source, *arguments, **environment):
    bare = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", source, *arguments],
        cwd=ROOT,
        env={**bare, "DJANGO_SETTINGS_MODULE": "labportal.settings", "DATA_DIR": "/nonexistent", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


FLAGS = (
    "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_INCLUDE_SUBDOMAINS",
    "SESSION_COOKIE_HTTPONLY",
)  # fmt: skip


def test_an_https_address_makes_cookies_and_transport_strict():
    found = read(*FLAGS, "SECURE_HSTS_SECONDS", "ALLOWED_HOSTS", "DEBUG", BASE_URL="https://portal.example/")
    assert all(found[flag] for flag in FLAGS)
    assert found["SECURE_HSTS_SECONDS"] >= 31_536_000
    assert found["ALLOWED_HOSTS"] == ["portal.example"]
    assert found["DEBUG"] is False


def test_at_https_no_other_host_of_the_domain_can_set_a_cookie_of_ours():
    names = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "MESSAGES_COOKIE_NAME")
    found = read(*names, BASE_URL="https://portal.example")
    assert all(name.startswith("__Host-") for name in found.values())


def test_on_this_machine_the_cookie_goes_over_http():
    found = read(*FLAGS, "ALLOWED_HOSTS")
    assert not found["SESSION_COOKIE_SECURE"]
    assert found["SESSION_COOKIE_HTTPONLY"]
    assert found["ALLOWED_HOSTS"] == ["localhost"]


def test_behind_a_proxy_its_word_on_https_and_on_the_visitor_is_believed():
    names = ("SECURE_PROXY_SSL_HEADER", "ALLAUTH_TRUSTED_PROXY_COUNT")
    found = read(*names, BASE_URL="https://portal.example", BEHIND_TLS_PROXY="true")
    assert found == {"SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"], "ALLAUTH_TRUSTED_PROXY_COUNT": 1}


def test_without_a_proxy_no_such_word_is_believed():
    assert read("SECURE_PROXY_SSL_HEADER")["SECURE_PROXY_SSL_HEADER"] is None


SECRET = re.compile(
    r"SECRET|KEYS?$|TOKEN|PASSWORD|DATABASE\w*_URL$|STORAGE_OPTIONS$"
)  # the last may hold a bucket's key
EVERYTHING = """
from django.conf import settings
from labportal.keeping.programs import backup_connection
print([(name, getattr(settings, name)) for name in dir(settings) if name.isupper()], backup_connection())
"""


def names_read(source: str) -> set[str]:
    """What a module reads from the environment by name, in whatever way."""
    found = set[str]()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=of) | (ast.Name() as of), args=[ast.Constant(value=str(name)), *_]):
                how = ast.unparse(node.func)
                if ast.unparse(of) in {"env", "os.environ", "environ"} or how.endswith("getenv"):
                    found.add(name)
            case ast.Subscript(value=of, slice=ast.Constant(value=str(name))) if "environ" in ast.unparse(of):
                found.add(name)
    return found


SECRETS = sorted(
    {
        name
        for package in ("labportal", "connector")
        for path in (ROOT / package).rglob("*.py")
        for name in names_read(path.read_text())
        if SECRET.search(name)
    }
)


def test_no_way_to_read_the_environment_is_overlooked():
    lines = (
        "env.str('A')",
        "env.list('B', [])",
        "env('C')",
        "os.environ['D']",
        "os.environ.get('E')",
        "os.getenv('F')",
    )
    assert names_read("\n".join(lines)) == set("ABCDEF")
    assert {"SECRET_KEY", "TOKEN_KEYS", "STATUS_TOKEN", "DATABASE_BACKUP_URL", "EMAIL_HOST_PASSWORD"} <= set(SECRETS)


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_can_lie_in_a_file(tmp_path, name):
    """A file that an editor wrote ends with a newline; Align, the mail server and PostgreSQL would refuse that."""
    value = "from-a-file"
    if name.startswith("DATABASE"):
        value = "postgresql://me:from-a-file@/name"
    if name.endswith("OPTIONS"):
        value = '{"secret_key": "from-a-file"}'
    file = tmp_path / "secret"
    file.write_text(f"{value}\n")
    way_to_backup = {"DATABASE_BACKUP_URL": "postgresql://nobody@/name"} if name != "DATABASE_BACKUP_URL" else {}
    assert "'from-a-file'" in run(EVERYTHING, **way_to_backup, **{f"{name}_FILE": str(file)})


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(RuntimeError, match="SECRET_KEY_FILE"):
        read("DEBUG", SECRET_KEY_FILE=str(tmp_path / "gone"))


def test_without_a_secret_each_process_has_a_throw_away_one_and_says_so():
    first, second = (read("SECRET_KEY", "SECRET_KEY_GIVEN") for _ in range(2))
    assert first["SECRET_KEY_GIVEN"] is False
    assert first["SECRET_KEY"] != second["SECRET_KEY"]


@pytest.mark.parametrize(
    ("name", "value"), [("SIMULATOR", "perhaps"), ("EMAIL_PORT", "smtp"), ("DATABASE_URL", "mysql://x/y")]
)
def test_a_value_that_cannot_be_meant_is_refused(name, value):
    with pytest.raises(RuntimeError):
        read("DEBUG", **{name: value})


def test_a_databases_address_may_hold_quoted_words_and_a_socket():
    found = read("DATABASES", DATABASE_URL="postgresql://me:p%40ss%2F@/name?host=/run/my%20sockets&sslmode=require")
    default = found["DATABASES"]["default"]
    assert (default["USER"], default["PASSWORD"], default["NAME"]) == ("me", "p@ss/", "name")
    assert default["HOST"] == "/run/my sockets"
    assert default["OPTIONS"] == {"sslmode": "require", "connect_timeout": "10"}


def test_the_demos_mail_page_is_no_part_of_a_real_portal():
    show = "import django; django.setup(); from django.urls import reverse; print(reverse('demo_mails'))"
    bare = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "labportal.settings", "DATA_DIR": "/nonexistent"}
    with_simulator, without = (
        subprocess.run(
            [sys.executable, "-c", show], cwd=ROOT, env=bare | {"SIMULATOR": on}, capture_output=True, text=True,
            check=False,
        )
        for on in ("1", "0")
    )  # fmt: skip
    assert with_simulator.stdout.strip() == "/demo/mails"
    assert "NoReverseMatch" in without.stderr
