# The whole desk in one image: web, worker and scheduler are the same files with another command.

FROM python:3.13-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.txt requirements-prod.txt /src/
RUN /venv/bin/pip install --require-hashes -r /src/requirements.txt -r /src/requirements-prod.txt
WORKDIR /app
COPY . .
ENV DESK_STATIC_ROOT=/app/staticfiles
RUN /venv/bin/python -m tools.production collectstatic --noinput \
    && /venv/bin/python -m compileall -q /app

FROM python:3.13-slim-bookworm
# pg_dump and pg_restore for manage.py backup, of the version of postgres in docker-compose.yml or later.
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-common ca-certificates \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install -y --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /data --create-home desk
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DESK_ENV=production \
    DESK_STATIC_ROOT=/app/staticfiles \
    DESK_VAR_DIR=/data
# Uploaded files when there is no S3.
VOLUME /data
USER desk
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["gunicorn", "-c", "python:helpdesk.gunicorn_conf", "helpdesk.wsgi"]
