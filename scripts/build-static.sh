#!/usr/bin/env bash
# Gathers the static files into STATIC_ROOT (default: staticfiles/), from which WhiteNoise serves them in production.
# Needs no database and no secrets: the image build runs it, and so does `make lint`, into a folder of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
exec .venv/bin/python manage.py collectstatic --noinput --verbosity 1
