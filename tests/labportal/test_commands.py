"""The commands of an installation, and a portal that really runs: its own processes, its own database, SIGTERM."""

import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command

from labportal.labs.models import Lab, Membership, User
from labportal.labs.routers import as_operator
from labportal.labs.tenancy import in_lab
from labportal.postgres_account import prepare_account
from labportal.postgres_cluster import Cluster
from labportal.running.walk import Walk, sign_in

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long enough phrase"


# --- createlab ----------------------------------------------------------------------------------------------------


@pytest.fixture
def real(cast, committed) -> Iterator[None]:
    """Real commits; labs and people beyond the cast are taken away afterwards."""
    kept = [getattr(cast, name).pk for name in ("anna", "theo", "vera", "bruno", "olga", "nina")]
    yield
    ours = [cast.lab_a.pk, cast.lab_b.pk]
    with as_operator():
        Membership.objects.exclude(lab__in=ours).delete()
        Lab.objects.exclude(pk__in=ours)._raw_delete("operator")  # delete() would ask every table of a lab
    User.objects.exclude(pk__in=kept).delete()
    User.objects.filter(pk=cast.anna.pk).update(is_staff=False, is_superuser=False)


@pytest.fixture
def create(monkeypatch):
    """createlab as typed in a terminal, its password on standard input."""

    def run(*arguments, password=PASSWORD):
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n" if password is not None else ""))
        out = io.StringIO()
        call_command("createlab", *arguments, "--password-stdin", stdout=out)
        return out.getvalue()

    return run


def labs():
    with as_operator():
        return {lab.slug: lab for lab in Lab.objects.all()}


def test_a_lab_is_made_with_its_first_owner(real, create):
    said = create("Zähne & Söhne", "Zoe@Example.com", "--time-zone", "Europe/Berlin", "--notation", "universal")
    assert said == "Zähne & Söhne is ready; zoe@example.com can log in.\n"
    lab = labs()["zahne-sohne"]
    assert (lab.time_zone, lab.tooth_notation) == ("Europe/Berlin", "universal")
    zoe = User.objects.get(email="zoe@example.com")
    assert zoe.check_password(PASSWORD)
    assert not zoe.is_staff
    with in_lab(lab.pk):
        assert [(m.user_id, m.role) for m in Membership.objects.of(lab)] == [(zoe.pk, "owner")]


def test_the_same_lab_is_not_made_twice(real, create):
    create("Twice", "zoe@example.com")
    with pytest.raises(CommandError, match="There is a lab with the short name twice already"):
        create("Twice", "other@example.com")
    assert not User.objects.filter(email="other@example.com").exists()


def test_a_person_who_has_a_log_in_gets_the_lab_and_keeps_the_password(real, cast, create):
    said = create("Third", "ANNA@example.com", password=None)
    assert said == "Third is ready; anna@example.com keeps the password there was before.\n"
    cast.anna.refresh_from_db()
    assert cast.anna.check_password("correct horse battery")
    with in_lab(labs()["third"].pk):
        assert Membership.objects.filter(user=cast.anna).count() == 1


@pytest.mark.parametrize("owner", ["new@example.com", "anna@example.com"])
def test_an_operator_is_made_only_when_asked_for(real, create, owner):
    create("Plain", owner)
    assert not User.objects.get(email=owner).is_staff
    create("Theirs", owner, "--operator")
    person = User.objects.get(email=owner)
    assert (person.is_staff, person.is_superuser) == (True, True)


@pytest.mark.parametrize(
    ("arguments", "password", "words"),
    [
        (["Lab", "no-address"], PASSWORD, "valid email"),
        (["Lab", "zoe@example.com"], "short", "too short"),
        (["Lab", "zoe@example.com"], "password1234", "too common"),
        (["Lab", "zoe.longname@example.com"], "zoe.longname@example", "too similar"),
        (["Lab", "zoe@example.com"], None, "No password came"),
        (["Lab", "zoe@example.com", "--time-zone", "Oslo"], PASSWORD, "There is no time zone Oslo"),
        (["", "zoe@example.com"], PASSWORD, "cannot be blank"),
        (["x" * 121, "zoe@example.com"], PASSWORD, "at most 120"),
        (["Lab", "zoe@example.com", "--notation", "palmer"], PASSWORD, "invalid choice"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(real, create, arguments, password, words):
    before = labs()
    with pytest.raises(CommandError, match=words):
        create(*arguments, password=password)
    assert labs() == before
    assert User.objects.filter(email__startswith="zoe").count() == 0


def test_a_name_of_other_letters_makes_a_lab_too(real, create):
    create("義歯ラボ", "zoe@example.com")
    assert labs()["lab"].name == "義歯ラボ"


def test_the_demos_people_are_not_made_on_a_real_installation(real, settings):
    settings.SIMULATOR = False
    with pytest.raises(CommandError, match="only beside the simulator"):
        call_command("demo_facts", "people")
    assert not User.objects.filter(email__endswith="nordlicht.example").exists()


# --- serve --------------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data: Path, port: int) -> dict[str, str]:
    """What a person's shell has: nothing of this test run."""
    names = ("PATH", "HOME", "LANG", "TMPDIR")
    bare = {name: os.environ[name] for name in names if name in os.environ}
    return {**bare, "DATA_DIR": str(data), "PORT": str(port)}


def processes_of(data: Path) -> list[int]:
    """Every living process that was started for this data folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(data).encode() in words:
                found.append(int(entry.name))
    return found


@dataclass
class Portal:
    url: str
    data: Path
    port: int
    process: subprocess.Popen[str]


@pytest.fixture(scope="module")
def portal(tmp_path_factory) -> Iterator[Portal]:
    folder = tmp_path_factory.mktemp("serve")
    data, port = folder / "data", free_port()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment(data, port), stdout=subprocess.PIPE,
            stderr=log, text=True,
        )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line == f"PORTAL READY http://localhost:{port}\n", (folder / "log").read_text()
    yield Portal(f"http://localhost:{port}", data, port, process)
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    process.stdout.close()


def manage(portal, *arguments, text=""):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment(portal.data, portal.port), input=text,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_ready_means_that_it_answers(portal):
    assert requests.get(f"{portal.url}/healthz", timeout=10).text == "ok"


def test_a_lab_made_in_another_terminal_can_be_used_at_once(portal):
    done = manage(portal, "createlab", "Own Lab", "owner@own.example", "--password-stdin", text=f"{PASSWORD}\n")
    assert done.stdout == "Own Lab is ready; owner@own.example can log in.\n", done.stderr
    walk = Walk()
    sign_in(walk, portal.url, "owner@own.example", PASSWORD)
    assert "Own Lab" in walk.page.text
    assert "No connection to Align yet" in walk.page.text


def test_the_demos_people_are_refused_by_the_running_portal(portal):
    done = manage(portal, "demo_facts", "people")
    assert done.returncode != 0
    assert "only beside the simulator" in done.stderr


def test_a_second_portal_on_the_same_port_is_refused_in_words(portal, tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment(tmp_path / "other", portal.port),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"Port {portal.port} is in use. Choose another one with PORT=" in done.stderr


def test_a_database_that_is_killed_is_started_again_and_pages_come_back(portal):
    cluster = Cluster.of(portal.data.resolve(), prepare_account())
    pid = cluster.running_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 60
    while cluster.running_pid() is None or requests.get(f"{portal.url}/accounts/login/", timeout=30).status_code != 200:
        assert time.monotonic() < end, "the database or the pages did not come back"
        time.sleep(0.2)
    walk = Walk()
    sign_in(walk, portal.url, "owner@own.example", PASSWORD)
    assert "Own Lab" in walk.page.text


def test_sigterm_ends_it_and_leaves_no_process(portal):
    assert len(processes_of(portal.data)) > 3
    portal.process.send_signal(signal.SIGTERM)
    assert portal.process.wait(60) == 0
    assert processes_of(portal.data) == []
