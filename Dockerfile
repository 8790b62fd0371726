# One image: the web process by default, the worker as `python manage.py worker`.
FROM python:3.12-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    PATH=/app/.venv/bin:$PATH \
    DATA_DIR=/var/lib/labportal

RUN pip install --no-cache-dir uv==0.13.9

WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-cache --no-dev --extra s3

COPY . .
# The folders that volumes are mounted on belong to the portal's user: a new volume takes that over.
RUN scripts/build-static.sh \
    && useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin labportal \
    && for folder in "$DATA_DIR" /run/labportal/urls/owner /run/labportal/urls/app \
        /run/labportal/urls/operator /run/labportal/urls/backup; do \
        install -d -o labportal -g labportal -m 0700 "$folder" || exit 1; \
    done

USER labportal
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "scripts/healthcheck.py"]
CMD ["gunicorn", "labportal.wsgi", "--bind=0.0.0.0:8000", "--worker-class=gthread", "--workers=2", "--threads=12", \
     "--timeout=120", "--graceful-timeout=30", "--worker-tmp-dir=/dev/shm"]
