"""The embedded PostgreSQL, really started: who can reach it, and how it lives through crashes."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from labportal import postgres_cluster
from labportal.embedded_postgres import EmbeddedPostgresError, Server, main, start
from labportal.postgres_account import prepare_account
from labportal.postgres_cluster import Cluster

OTHER_PROCESS = """
import sys, time
from contextlib import suppress
from pathlib import Path
from labportal.embedded_postgres import start
server = start(Path(sys.argv[1]), fast=True)
print("owned" if server.owned else "found", flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lab") / "data"


@pytest.fixture(scope="module")
def cluster_for_all(data_dir: Path) -> Iterator[None]:
    start(data_dir, fast=True).stop()
    yield
    start(data_dir, fast=True).remove()


@pytest.fixture
def server(data_dir: Path, cluster_for_all: None) -> Iterator[Server]:
    started = start(data_dir, fast=True)
    yield started
    started.stop(immediate=True)


def postmaster_pid(data_dir: Path) -> int | None:
    return Cluster.of(data_dir.resolve(), prepare_account()).running_pid()


def ask(url: str, query: str) -> str:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])


def wait_until_gone(data_dir: Path) -> None:
    deadline = time.monotonic() + 10
    while postmaster_pid(data_dir) and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.fixture
def other_process(data_dir: Path, cluster_for_all: None) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", OTHER_PROCESS, str(data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "owned\n"
        yield process
        process.kill()


def test_a_started_server_answers_as_utf8_in_the_c_locale(server: Server) -> None:
    assert ask(server.superuser_url, "SELECT current_setting('server_encoding')") == "UTF8"
    assert ask(server.superuser_url, "SELECT datcollate FROM pg_database WHERE datname = 'template1'") == "C.UTF-8"


def test_data_and_socket_folders_are_closed_to_everyone_else(server: Server, data_dir: Path) -> None:
    cluster = Path(ask(server.superuser_url, "SELECT current_setting('data_directory')"))
    assert [stat.S_IMODE(path.stat().st_mode) for path in (cluster, server.socket_dir, data_dir)] == [0o700] * 3
    assert stat.S_IMODE((data_dir / "postgres.password").stat().st_mode) == 0o600


def test_it_listens_on_no_tcp_port(server: Server) -> None:
    assert ask(server.superuser_url, "SELECT current_setting('listen_addresses')") == ""


def test_a_wrong_password_is_refused(server: Server) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.superuser_url, password="guessed")


def test_every_way_in_asks_for_a_scram_password(server: Server) -> None:
    methods = ask(server.superuser_url, "SELECT array_agg(DISTINCT auth_method)::text FROM pg_hba_file_rules")
    assert methods == "{scram-sha-256}"


def test_it_does_not_run_as_root(server: Server, data_dir: Path) -> None:
    pid = postmaster_pid(data_dir)
    assert Path(f"/proc/{pid}").stat().st_uid != 0


def test_the_process_has_none_of_roots_groups(server: Server, data_dir: Path) -> None:
    status = Path(f"/proc/{postmaster_pid(data_dir)}/status").read_text()
    groups = next(line for line in status.splitlines() if line.startswith("Groups:")).split()[1:]
    assert os.geteuid() != 0 or "0" not in groups


def test_stop_ends_the_process_and_leaves_no_socket(data_dir: Path, server: Server) -> None:
    server.stop()
    assert postmaster_pid(data_dir) is None
    assert not server.socket_dir.exists()


def test_data_outlives_a_stop(data_dir: Path, server: Server) -> None:
    with psycopg.connect(server.superuser_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS number")
    server.stop()
    again = start(data_dir, fast=True)
    try:
        assert ask(again.superuser_url, "SELECT number FROM kept") == "42"
    finally:
        again.stop()


def test_a_second_start_finds_the_first_and_does_not_stop_it(data_dir: Path, server: Server) -> None:
    second = start(data_dir, fast=True)
    second.stop()
    assert (second.owned, ask(server.superuser_url, "SELECT 1")) == (False, "1")


def test_a_second_start_finds_the_first_under_another_tmpdir(
    data_dir: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert start(data_dir, fast=True).socket_dir == server.socket_dir


def test_a_server_whose_owner_was_killed_is_taken_over_and_stopped(
    data_dir: Path, other_process: "subprocess.Popen[str]"
) -> None:
    before = postmaster_pid(data_dir)
    other_process.kill()
    other_process.wait()
    mine = start(data_dir, fast=True)
    assert (mine.owned, postmaster_pid(data_dir)) == (True, before)
    mine.stop()
    assert postmaster_pid(data_dir) is None


def test_a_server_of_a_living_owner_is_only_borrowed(data_dir: Path, other_process: "subprocess.Popen[str]") -> None:
    borrowed = start(data_dir, fast=True)
    borrowed.stop()
    assert postmaster_pid(data_dir) is not None
    other_process.kill()
    other_process.wait()
    start(data_dir, fast=True).stop()


def test_it_starts_after_the_postmaster_was_killed(data_dir: Path, server: Server) -> None:
    pid = postmaster_pid(data_dir)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    server.stop()  # reaps the process
    again = start(data_dir, fast=True)
    try:
        assert ask(again.superuser_url, "SELECT 1") == "1"
    finally:
        again.stop()


@pytest.mark.parametrize("file", ["postmaster.pid", ".s.PGSQL.5432.lock"])
def test_it_starts_although_a_stranger_now_has_the_pid_that_was_noted(
    data_dir: Path, server: Server, file: str
) -> None:
    cluster = Cluster.of(data_dir.resolve(), prepare_account())
    noted = (cluster.path if file == "postmaster.pid" else server.socket_dir) / file
    text = noted.read_text()
    server.stop()
    with subprocess.Popen(["sleep", "60"], **cluster.run_as()) as stranger:
        try:
            noted.parent.mkdir(mode=0o700, exist_ok=True)
            noted.write_text("\n".join([str(stranger.pid), *text.splitlines()[1:]]) + "\n")
            for path in {noted, noted.parent}:
                cluster.account.give(path)
            again = start(data_dir, fast=True)
            assert ask(again.superuser_url, "SELECT 1") == "1"
            again.stop()
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_two_clusters_run_at_the_same_time(server: Server, tmp_path: Path) -> None:
    other = start(tmp_path / "data", fast=True)
    try:
        assert other.socket_dir != server.socket_dir
        own = ask(server.superuser_url, "SELECT system_identifier FROM pg_control_system()")
        assert ask(other.superuser_url, "SELECT system_identifier FROM pg_control_system()") != own
    finally:
        other.remove()


def test_of_two_processes_that_start_it_together_one_owns_it(data_dir: Path, cluster_for_all: None) -> None:
    command = [sys.executable, "-c", OTHER_PROCESS, str(data_dir)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        said = sorted(process.stdout.readline() for process in both if process.stdout)
    finally:
        for process in both:
            process.kill()
            process.communicate()
        start(data_dir, fast=True).stop()
    assert said == ["found\n", "owned\n"]


def test_a_socket_path_that_the_kernel_cannot_hold_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("x" * 100)))
    monkeypatch.setattr(postgres_cluster, "SYSTEM_SOCKETS", tmp_path / ("x" * 100))
    with pytest.raises(EmbeddedPostgresError, match="longer than 107 bytes"):
        start(tmp_path / "data")


def test_a_socket_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(postgres_cluster, "SYSTEM_SOCKETS", tmp_path)
    cluster = Cluster.of((tmp_path / "data").resolve(), prepare_account())
    cluster.socket_dir.symlink_to("/usr")
    with pytest.raises(EmbeddedPostgresError, match="belongs to"):
        start(tmp_path / "data")


def test_too_little_disk_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_cluster, "MIN_FREE_BYTES", 1 << 60)
    with pytest.raises(EmbeddedPostgresError, match="MB of free disk"):
        start(tmp_path / "data")


def test_a_lost_password_is_told_in_words(data_dir: Path, server: Server) -> None:
    password = (data_dir / "postgres.password").read_text()
    (data_dir / "postgres.password").write_text("another")
    try:
        with pytest.raises(EmbeddedPostgresError, match="does not hold the password"):
            start(data_dir)
    finally:
        (data_dir / "postgres.password").write_text(password)


def test_values_of_a_failed_statement_stay_out_of_the_log(data_dir: Path, server: Server) -> None:
    with psycopg.connect(server.superuser_url) as connection:
        connection.execute("CREATE TEMPORARY TABLE patient (name text PRIMARY KEY)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO patient VALUES ('ZZCANARY'), ('ZZCANARY')")
    with psycopg.connect(server.superuser_url) as connection, pytest.raises(psycopg.errors.InvalidTextRepresentation):
        connection.execute("SELECT %s::text::integer", ["ZZCANARY"])
    log = (data_dir / "postgres.log").read_text()
    assert "ready to accept connections" in log
    assert "ZZCANARY" not in log


def test_the_state_of_a_data_folder_can_be_printed(
    data_dir: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(data_dir)]) == 0
    assert f"process {postmaster_pid(data_dir)}" in capsys.readouterr().out


def test_a_deleted_data_folder_begins_again_with_an_empty_cluster(tmp_path: Path) -> None:
    old = start(tmp_path / "data", fast=True)
    with psycopg.connect(old.superuser_url) as connection:
        connection.execute("CREATE TABLE old_keys ()")
    pid = postmaster_pid(tmp_path / "data")
    assert pid is not None
    shutil.rmtree(tmp_path / "data")
    new = start(tmp_path / "data", fast=True)
    try:
        assert ask(new.superuser_url, "SELECT to_regclass('old_keys')") == "None"
    finally:
        new.remove()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)
        old.remove()


def test_a_cluster_that_vanished_beside_its_data_folder_is_not_replaced_by_an_empty_one(tmp_path: Path) -> None:
    server = start(tmp_path, fast=True)
    if os.geteuid() != 0:
        server.remove()
        assert not (tmp_path / "postgres.place").exists()  # as an ordinary user it lies inside: nothing to lose apart
        return
    server.stop()
    shutil.rmtree(Cluster.of(tmp_path.resolve(), None).path)
    with pytest.raises(EmbeddedPostgresError, match="is missing"):
        start(tmp_path, fast=True)
