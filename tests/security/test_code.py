"""What our code never does: rules about the source itself, each with a planted line that must be found."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = [
    file
    for folder in ("labportal", "connector")
    for file in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in file.parts and "simulator" not in file.parts
]
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

# Rule → the calls that break it, as they are written, and a line that does.
CALLS = {
    "text is never run as code": ({"eval", "exec", "compile", "__import__"}, "eval(text)"),
    "no shell is started": ({"os.system", "os.popen", "subprocess.getoutput"}, "os.system(text)"),
    "nothing is unpickled": (
        {"pickle.loads", "pickle.load", "marshal.loads", "yaml.load", "shelve.open", "dill.loads"},
        "pickle.loads(text)",
    ),
    "no weak hash": ({"hashlib.md5", "hashlib.sha1", "hashlib.new"}, "hashlib.md5(text)"),
    "no archive is unpacked to its names": (
        {"shutil.unpack_archive", "archive.extractall", "zip.extractall", "archive.extract"},
        "archive.extractall(text)",
    ),
    "templates are files": ({"Template", "engine.from_string", "engines.from_string"}, "Template(text)"),
    "no markup is declared safe": ({"mark_safe", "SafeString", "format_html_join"}, "mark_safe(text)"),
    "XML is read by the safe parser": (
        {"ET.fromstring", "ET.parse", "ElementTree.fromstring", "minidom.parseString", "etree.fromstring"},
        "ET.fromstring(text)",
    ),
    "chance is for jitter, never for secrets": (
        {"random.random", "random.choice", "random.choices", "random.getrandbits", "random.randbytes", "uuid.uuid1"},
        "random.choice(text)",
    ),
}
# Rule → keyword and value.
KEYWORDS = {
    "no shell is started": ("shell", True, "run(text, shell=True)"),
    "certificates are checked": ("verify", False, "get(text, verify=False)"),
    "no redirect is followed": ("allow_redirects", True, "get(text, allow_redirects=True)"),
}


def written(call: ast.Call) -> str:
    return ast.unparse(call.func)


def calls_in(source: str) -> Iterator[ast.Call]:
    yield from (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))


def forbidden_calls(source: str, names: set[str]) -> list[str]:
    return [f"{call.lineno}: {written(call)}" for call in calls_in(source) if written(call) in names]


def forbidden_keywords(source: str, name: str, value: bool) -> list[str]:
    return [
        f"{call.lineno}: {name}={value}"
        for call in calls_in(source)
        for keyword in call.keywords
        if keyword.arg == name and isinstance(keyword.value, ast.Constant) and keyword.value.value is value
    ]


@pytest.mark.parametrize("rule", CALLS)
def test_our_code_makes_no_such_call(rule: str) -> None:
    names, planted = CALLS[rule]
    assert forbidden_calls(planted, names)
    found = {str(file.relative_to(ROOT)): forbidden_calls(file.read_text(), names) for file in OURS}
    assert len(found) > 200
    assert {file: lines for file, lines in found.items() if lines} == {}


@pytest.mark.parametrize("rule", KEYWORDS)
def test_our_code_makes_no_call_in_such_a_way(rule: str) -> None:
    name, value, planted = KEYWORDS[rule]
    assert forbidden_keywords(planted, name, value)
    found = {str(file.relative_to(ROOT)): forbidden_keywords(file.read_text(), name, value) for file in OURS}
    assert {file: lines for file, lines in found.items() if lines} == {}


def patterns_from_outside(source: str) -> list[str]:
    """Calls of `re` whose pattern is no text of ours, except what is escaped."""
    return [
        ast.unparse(call)
        for call in calls_in(source)
        if re.fullmatch(r"re\.(compile|search|match|fullmatch|sub|split|findall|finditer)", written(call))
        and not isinstance(call.args[0], ast.Constant | ast.JoinedStr)
    ]


def test_no_pattern_comes_from_outside() -> None:
    assert patterns_from_outside("re.search(words, text)")
    assert [line for file in OURS for line in patterns_from_outside(file.read_text())] == []


def ruff(code: str) -> str:
    done = subprocess.run(
        [
            sys.executable, "-m", "ruff", "check", "--isolated", "--select", "S608,S610,S611",
            "--stdin-filename", "a.py", "-",
        ],
        input=code, cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout


def test_no_statement_is_put_together_from_words() -> None:
    """By ruff's rules about SQL; what it may not see has its reason on its line."""
    assert "S608" in ruff('cursor.execute(f"SELECT * FROM labs_lab WHERE name = {name}")')
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select", "S608,S610,S611", "labportal", "connector"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    excused = [line for file in OURS for line in file.read_text().splitlines() if "noqa: S608" in line]
    assert all(re.search(r"noqa: S608\S* - \w", line) for line in excused)


# --- pages and scripts

UNSAFE_SCRIPT = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|postMessage|__proto__|"
    r"sessionStorage|indexedDB|document\.cookie"
)


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_a_script_of_ours_writes_text_as_text_and_keeps_nothing(file: Path) -> None:
    assert UNSAFE_SCRIPT.search("list.innerHTML = name")
    assert UNSAFE_SCRIPT.findall(file.read_text()) == []


def test_the_browser_keeps_the_choice_of_colours_alone() -> None:
    assert [file.name for file in SCRIPTS if "localStorage" in file.read_text()] == ["theme.js"]


# The words under a field are our own and Django's.
SAFE_WORDS = {"templates/allauth/elements/fields.html": "{{ field.help_text|safe }}"}


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_template_escapes_everything_from_outside(file: Path) -> None:
    name, text = str(file.relative_to(ROOT)), file.read_text()
    text = text.replace(SAFE_WORDS.get(name, "\0"), "")
    assert re.findall(r"\|\s*safe(?:seq)?\b|autoescape\s+off|<script>|\son[a-z]+=|javascript:", text) == []


# --- what we build on


def test_every_package_comes_from_one_registry_with_its_hash() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    packages = [each for each in lock["package"] if each["name"] != "labportal"]
    assert len(packages) > 80
    assert len({each["source"].get("registry") for each in packages} - {None}) == 1
    for each in packages:
        files = [*each.get("wheels", []), *([each["sdist"]] if "sdist" in each else [])]
        assert files, each["name"]
        assert all(file["hash"].startswith("sha256:") for file in files), each["name"]


def test_so_does_every_package_that_the_viewer_is_built_from() -> None:
    lock = json.loads((ROOT / "scripts" / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
