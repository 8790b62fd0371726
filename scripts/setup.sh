#!/usr/bin/env bash
# Makes .venv from uv.lock, with a uv of its own in .uv/. Nothing outside this folder is changed, except that uv keeps
# its cache in the home folder when it can. A second run returns at once while pyproject.toml and uv.lock stay the same.
set -euo pipefail
cd "$(dirname "$0")/.."

UV_VERSION=0.13.9
stamp=.venv/.setup-stamp
state="$PWD $UV_VERSION $(cat pyproject.toml uv.lock scripts/setup.sh | sha256sum)"

is_ready() { [[ -f $stamp && $(<"$stamp") == "$state" ]] && .venv/bin/python -c '' 2>/dev/null; }
is_ready && exit 0

serves() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local candidate
    for candidate in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do
        if serves "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer with its venv module is missing. On Debian or Ubuntu: apt-get install python3 python3-venv" >&2
    return 1
}

# Two commands started at once in a fresh clone take turns. The lock ends with this script, whatever ends it.
mkdir -p .uv
exec 9>.uv/lock
if command -v flock >/dev/null; then
    flock 9
    is_ready && exit 0
fi

if ! mkdir -p "${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/uv" 2>/dev/null \
    || [[ ! -w ${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/uv ]]; then
    export UV_CACHE_DIR="${UV_CACHE_DIR:-$PWD/.uv/cache}"
fi

if [[ $(.uv/bin/uv --version 2>/dev/null) != "uv $UV_VERSION"* ]]; then
    python=$(find_python)
    echo "Setting up uv $UV_VERSION with $("$python" --version) ..." >&2
    "$python" -m venv --clear .uv/new
    .uv/new/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir "uv==$UV_VERSION"
    mkdir -p .uv/bin
    cp .uv/new/bin/uv .uv/bin/uv
    rm -rf .uv/new
fi

# The commands in .venv/bin name their folder: a tree that was moved or copied needs new ones.
if [[ -f $stamp && $(<"$stamp") != "$PWD "* ]]; then
    rm -rf .venv
fi
if ! .venv/bin/python -c '' 2>/dev/null; then
    python=$(find_python)
    .uv/bin/uv venv --quiet --clear --no-python-downloads --python "$python" .venv
fi
rm -f "$stamp"
echo "Installing what uv.lock names ..." >&2
env -u VIRTUAL_ENV -u UV_PYTHON UV_PROJECT_ENVIRONMENT="$PWD/.venv" \
    .uv/bin/uv sync --quiet --frozen --all-extras --no-python-downloads --python .venv/bin/python
printf '%s\n' "$state" >"$stamp"
