"""What is written down beside the code is what the code does: container files, lists of the architecture."""

import re
from pathlib import Path

import pytest
from django.apps import apps

from labportal.env import BASE_DIR
from labportal.labs.models import LabScoped
from labportal.running.web import gunicorn

DOCKERFILE, COMPOSE = BASE_DIR / "Dockerfile", BASE_DIR / "compose.yaml"
ARCHITECTURE, OPERATIONS = BASE_DIR / "docs" / "architecture.md", BASE_DIR / "docs" / "operations.md"


def commands(file: Path) -> list[str]:
    """The lines of a file without its comments; of a comment behind a value, what stands before it."""
    lines = [line.partition(" #")[0] for line in file.read_text().splitlines()]
    return [line for line in lines if not line.lstrip().startswith("#")]


def option(text: str, name: str) -> str:
    """`--timeout 120`, `--timeout=120`, or an item after the other."""
    found = re.search(rf'--{name}(?:=|\s+|",\s*")(\w+)', text)
    assert found is not None, f"--{name} is not there"
    return found[1]


@pytest.mark.parametrize("file", [DOCKERFILE, COMPOSE], ids=lambda file: file.name)
def test_a_container_never_starts_a_cluster_without_its_supervisor(file: Path) -> None:
    assert "qcluster" not in "\n".join(commands(file))


def test_the_worker_of_the_containers_is_the_supervised_one() -> None:
    service = re.search(r"\n  worker:\n((?:    .*\n|\n)+)", COMPOSE.read_text())
    assert service is not None
    assert re.findall(r"(?m)^    command: (.*)$", service[1]) == ['["python", "manage.py", "worker"]']
    # The image's own command is the web process; a second way to a worker would be an entry point.
    assert not re.search(r"(?m)^\s*(ENTRYPOINT|entrypoint:)", "\n".join([*commands(DOCKERFILE), *commands(COMPOSE)]))


@pytest.mark.parametrize("name", ["workers", "threads", "worker-class", "timeout"])
def test_the_web_process_is_the_same_in_the_image_in_the_manual_and_in_make_run(name: str) -> None:
    manual = next(line for line in OPERATIONS.read_text().splitlines() if "gunicorn labportal.wsgi" in line)
    image = "\n".join(commands(DOCKERFILE)).partition('\nCMD ["gunicorn"')[2]
    ways = [image, manual, " ".join(gunicorn(8000))]
    assert len({option(way, name) for way in ways}) == 1


def test_the_architecture_names_every_task_with_its_cluster() -> None:
    lines = ARCHITECTURE.read_text().splitlines()
    table = {
        cells[1]: set(cells[2].split(", ")) for cells in map(cells_of, lines) if cells[1] in ("`portal`", "`downloads`")
    }
    tasks = {
        name
        for folder in ("connector", "labportal")
        for file in (BASE_DIR / folder).rglob("tasks.py")
        for name in re.findall(r"@door\ndef (\w+)", file.read_text())
    }
    rung = re.compile(r'ring\((?:\s*)"[\w.]+\.tasks\.(\w+)"[^)]*cluster="downloads"')
    long = {name for file in (BASE_DIR / "connector").rglob("*.py") for name in rung.findall(file.read_text())}
    assert {"download"} <= long <= tasks
    assert table == {"`portal`": tasks - long | {"tick"}, "`downloads`": long}


def cells_of(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")] if line.count("|") > 2 else ["", "", ""]


def test_the_architecture_names_every_record_of_a_lab() -> None:
    text = ARCHITECTURE.read_text().partition("## The records")[2].partition("\n## ")[0]
    named = set(re.findall(r"\w+", text))
    ours = {model.__name__ for model in apps.get_models() if issubclass(model, LabScoped)}
    assert ours - named == set()
