"""Every variable of docs/operations.md has a validator that names it and the value it wants, and shows no secret."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from django.conf import settings

from helpdesk import gunicorn_conf
from helpdesk.tests.test_deployment_files import documented, variables_of_compose
from helpdesk.variables import DEFAULT_POOL, DEFAULT_THREADS, VARIABLES, complaints
from tools.production import PRODUCTION

# One wrong value for each variable: a likely slip where there is one.
WRONG = {
    "DESK_ENV": "prod",
    "SECRET_KEY": "change-me",
    "SECRET_KEY_FALLBACKS": "old",
    "DATABASE_URL": "nonsense",
    "DATABASE_POOL_SIZE": "4",  # eight threads share them
    "REDIS_URL": "localhost:6379",
    "DESK_BASE_URL": "https://example.com/ayuda/",
    "DESK_SUPPORT_EMAIL": "soporte",
    "DESK_TRUSTED_PROXIES": "proxy.example.com",
    "EMAIL_URL": "mail.example.com:587",
    "DESK_MAIL_PROVIDER": "postmrk",
    "DESK_NAME": "Mesa\nBcc: todos@example.com",
    "DESK_FOLIO_PREFIX": "MA-",
    "DESK_FOLIO_START": "diez mil",
    "DESK_SUPPORT_PHONE": "llámanos",
    "DESK_SUPPORT_WHATSAPP": "sí",
    "DESK_FROM_EMAIL": "Mesa de ayuda",
    "DESK_ASSISTANT_NAME": "Parki\nbot",
    "DESK_ASSISTANT_FACE": "gato",
    "DESK_WIDGET_ORIGINS": "garaje.example",
    "DESK_TERMS_URL": "example.com/condiciones",
    "DESK_REPLY_DOMAIN": "respuestas@example.com",
    "DESK_SUGGESTIONS": "chatgpt",
    "DESK_ANSWERS_URL": "api.example.com/v1",
    "DESK_ANSWERS_KEY": "two words",
    "DESK_ANSWERS_MODEL": "two words",
    "DESK_ANSWERS_SECONDS": "60",
    "DESK_ANSWERS_DAILY_TOKENS": "many",
    "DESK_TIME_ZONE": "Caracas",
    "DESK_DEFAULT_LANGUAGE": "fr",
    "DESK_MAX_UPLOAD_MB": "25 MB",
    "DESK_MAX_REQUEST_MB": "10",  # less than one file
    "DESK_MAX_UNSENT_MB": "0",
    "DESK_MAX_IMAGE_PIXELS": "-1",
    "DESK_PICTURES_AT_ONCE": "0",
    "DESK_CLAMAV": "clamav",
    "DESK_ACCEL_PREFIX": "media-interna",
    "S3_BUCKET": "s3://mesa",
    "S3_ENDPOINT_URL": "store:9000",
    "S3_PUBLIC_ENDPOINT_URL": "store:9000",
    "S3_REGION": "us east",
    "S3_ACCESS_KEY_ID": "two words",
    "DESK_MAILBOXES": "pop3://ana:clave@mail.test",
    "DESK_MAIL_AUTH_SERVER": "mx example",
    "S3_SECRET_ACCESS_KEY": "two words",
    "DESK_VAR_DIR": __file__,
    "DESK_STATIC_ROOT": __file__,
    "WEB_BIND": "8000",
    "WEB_CONCURRENCY": "auto",
    "WEB_THREADS": "0",
    "WEB_ACCESS_LOG": "yes",
    "WEB_LOG_LEVEL": "loud",
    "DESK_SECOND_FACTOR_FROM": "staff",
    "ALLOWED_HOSTS": "*",
    "CSRF_TRUSTED_ORIGINS": "ayuda.example.com",
    "DESK_HSTS_SECONDS": "one year",
    "DESK_ALLOW_HTTP": "maybe",
    "DESK_ALLOW_SQLITE": "si",
    "DESK_LATE_MAIL_SECONDS": "10m",
    "DESK_LATE_HEARTBEAT_SECONDS": "0",
    "DESK_READYZ_NETWORKS": "10.0.0.1/8",
    "DESK_READYZ_TOKEN": "too-short",
    "LOG_LEVEL": "loud",
    "SENTRY_DSN": "https://errors.example.com",
    "DESK_DEMO": "1",
    "DEBUG": "1",
    "PORT": "80000",
}
# Further slips, each of which began a desk that failed later: at the first mail, query, download or form.
MORE_WRONG = [
    ("SECRET_KEY_FALLBACKS", "a" * 60 + ", " + "b" * 60),
    ("DATABASE_URL", " postgres://desk@db/desk"),
    ("DATABASE_URL", "postgres://desk@db/desk/more"),
    ("DATABASE_URL", "postgres://desk@the db/desk"),
    ("DATABASE_URL", "postgres://desk@db/desk?sslmode=on"),
    ("DATABASE_URL", "postgres://desk@db/desk?connect_timeout=3s"),
    ("DATABASE_URL", "postgres://desk@db/desk?pool=true"),
    ("DATABASE_URL", "postgres://desk@db/desk?conn_max_age=60"),
    ("DATABASE_POOL_SIZE", "1_0"),
    ("DATABASE_POOL_SIZE", " 10"),
    ("REDIS_URL", "redis://redis:6379/0?timeout=3"),
    ("REDIS_URL", "rediss://redis:6379/0?ssl_cert_reqs=CERT_NONE"),
    ("REDIS_URL", "redis://redis one:6379/0"),
    ("DESK_BASE_URL", "https://ayuda_uno.example.com"),
    ("DESK_BASE_URL", "https://añuda.example.com"),
    ("DESK_BASE_URL", "https://ayuda.example.com,https://mesa.example.com"),
    ("DESK_BASE_URL", "https://ayuda.example.com."),
    ("DESK_BASE_URL", "https://ayuda.example.com?"),
    ("DESK_TRUSTED_PROXIES", ","),
    ("DESK_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1/32"),
    ("EMAIL_URL", "smtp+tls://desk:secret@mail.example.com:465"),
    ("EMAIL_URL", "smtp+ssl://desk:secret@mail.example.com:587"),
    ("EMAIL_URL", "smtps://desk:secret@mail.example.com:465"),
    ("EMAIL_URL", "smtp+tls://desk:contraseña@mail.example.com:587"),
    ("EMAIL_URL", "smtp+tls://mail.example.com:587?timeout=5"),
    ("DESK_SUPPORT_PHONE", "1234567890" * 20),
    ("DESK_FROM_EMAIL", "Mesa <ayuda@example.com"),
    ("DESK_FROM_EMAIL", "ayuda@example.com, mesa@example.com"),
    ("DESK_TERMS_URL", "https://example.com/las condiciones"),
    ("DESK_TIME_ZONE", "localtime"),
    ("DESK_MAX_UNSENT_MB", "10"),  # less than one file
    ("DESK_CLAMAV", "clam av:3310"),
    ("DESK_ACCEL_PREFIX", "/../"),
    ("S3_ENDPOINT_URL", "http://my_store:9000"),
    ("S3_ENDPOINT_URL", "https://key:secret@store.example.com"),
    ("S3_REGION", "US-EAST-1"),
    ("S3_ACCESS_KEY_ID", '"AKIA"'),
    ("S3_SECRET_ACCESS_KEY", "contraseña"),
    ("DESK_VAR_DIR", "~/var"),
    ("DESK_VAR_DIR", "/" + "x" * 300),
    ("DESK_STATIC_ROOT", "static"),
    ("WEB_BIND", "300.1.1.1:8000"),
    ("WEB_BIND", "unix:/nonexistent/web.sock"),
    ("WEB_BIND", "fd://web"),
    ("WEB_ACCESS_LOG", "/nonexistent/access.log"),
    ("WEB_ACCESS_LOG", "/tmp"),
    ("CSRF_TRUSTED_ORIGINS", "https://*"),
    ("CSRF_TRUSTED_ORIGINS", "https://ayuda.example.com/"),
    ("DESK_READYZ_TOKEN", "ñ" * 20),
    ("LOG_LEVEL", "NOTSET"),
    ("SENTRY_DSN", "https://key@errors.example.com/project"),
    ("DESK_NAME", "'Mesa de ayuda'"),
]
STORE = {"S3_BUCKET": "mesa", "S3_ACCESS_KEY_ID": "AKIA", "S3_SECRET_ACCESS_KEY": "t0p-s3cret"}


def test_every_documented_variable_has_a_validator_and_a_wrong_value():
    """The variables that only docker-compose.yml reads, for nginx, are checked there."""
    explained = documented(outside_production=False) | documented(outside_production=True)

    assert explained - variables_of_compose() == set(VARIABLES)
    assert set(WRONG) == set(VARIABLES)


HOLD_SECRETS = {
    *("SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "SENTRY_DSN"),
    *("S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "DESK_READYZ_TOKEN", "DESK_MAILBOXES", "DESK_ANSWERS_KEY"),
}


def test_variables_with_passwords_and_keys_are_secret():
    assert {name for name, variable in VARIABLES.items() if variable.secret} == HOLD_SECRETS


@pytest.mark.parametrize(("name", "value"), [*WRONG.items(), *MORE_WRONG])
def test_wrong_value_is_named_alone_and_no_secret_is_shown(name: str, value: str):
    others = STORE if name.startswith("S3_") else {}

    found = complaints(PRODUCTION | others | {name: value})

    assert [line.split()[0] for line in found] == [name]
    assert found[0].isprintable()
    if VARIABLES[name].secret:
        assert value not in found[0].replace("Not starting", "")


@pytest.mark.parametrize("name", WRONG)
def test_empty_variable_is_a_missing_one(name: str):
    without = {other: value for other, value in PRODUCTION.items() if other != name}

    assert complaints(without | {name: ""}) == complaints(without)


def test_all_complaints_come_at_once():
    allowed_beside_others = {"DESK_ENV": "production", "WEB_THREADS": "8"}

    found = complaints(WRONG | allowed_beside_others)

    assert {line.split()[0] for line in found} == set(WRONG) - set(allowed_beside_others)


def test_compared_defaults_are_those_of_the_program():
    assert gunicorn_conf.threads == DEFAULT_THREADS
    assert (
        f'env.int("DATABASE_POOL_SIZE", {DEFAULT_POOL})'
        in (settings.BASE_DIR / "helpdesk/settings.py").read_text()
    )


def test_complete_settings_have_no_complaint():
    assert complaints(PRODUCTION) == []
    assert complaints(PRODUCTION | STORE) == []
    assert complaints({}) == []


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"S3_BUCKET": "mesa", "S3_ENDPOINT_URL": "http://store:9000"}, ["S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"]),
        ({"S3_BUCKET": "mesa", "S3_ACCESS_KEY_ID": "AKIA"}, ["S3_SECRET_ACCESS_KEY"]),
        ({"S3_BUCKET": "mesa"}, []),
        ({"S3_REGION": "us-east-1"}, ["S3_BUCKET"]),
        (STORE | {"S3_PUBLIC_ENDPOINT_URL": "http://files.example.com"}, ["S3_PUBLIC_ENDPOINT_URL"]),
        ({"DATABASE_POOL_SIZE": "12", "WEB_THREADS": "16"}, ["DATABASE_POOL_SIZE"]),
        ({"DATABASE_POOL_SIZE": "4", "WEB_THREADS": "4"}, []),
        ({"DESK_SUPORT_PHONE": "+58 212 555"}, ["DESK_SUPORT_PHONE"]),
        ({"DESK_SERVICE_HOST": "10.0.0.1", "DESK_PORT_8000_TCP": "tcp://10.0.0.1:8000"}, []),
        ({"DATABASE_URL": "postgres://desk:p#ss@db:5432/desk"}, []),
        ({"DATABASE_URL": "postgres://desk@[::1]/desk?sslmode=verify-full&connect_timeout=5"}, []),
        ({"DATABASE_URL": "postgres://desk@one,two:5432/desk?target_session_attrs=read-write"}, []),
        ({"DATABASE_URL": "postgres://desk@%2Fvar%2Frun%2Fpostgresql/desk"}, []),
        ({"REDIS_URL": "rediss://:secret@redis_one:6379/0?ssl_cert_reqs=none"}, []),
        ({"EMAIL_URL": "smtp+ssl://desk@example.com:p%23ss@mail.example.com:465"}, []),
        ({"CSRF_TRUSTED_ORIGINS": "https://*.example.com,https://mesa.example.org:8443"}, []),
        ({"DATABASE_URL": "mysql://desk@db/desk"}, ["DATABASE_URL"]),
        ({"DATABASE_URL": "postgres://desk@db:port/desk"}, ["DATABASE_URL"]),
        ({"DATABASE_URL": "sqlite:////srv/desk.sqlite3"}, ["DATABASE_URL"]),
        ({"EMAIL_URL": "consolemail://"}, ["EMAIL_URL"]),
        ({"EMAIL_URL": "smtp://"}, ["EMAIL_URL"]),
        ({"EMAIL_URL": "", "DESK_MAIL_PROVIDER": "amazon_ses"}, []),
        ({"EMAIL_URL": "", "DESK_MAIL_PROVIDER": "base"}, ["DESK_MAIL_PROVIDER"]),
        ({"REDIS_URL": "redis://:secret@redis:6379/eins"}, ["REDIS_URL"]),
        ({"SECRET_KEY": "x" * 80}, ["SECRET_KEY"]),
        ({"DESK_FROM_EMAIL": "Mesa <ayuda@example.com>"}, []),
    ],
)  # fmt: skip
def test_variables_are_checked_beside_one_another(given: dict[str, str], names: list[str]):
    assert [line.split()[0] for line in complaints(PRODUCTION | given)] == names


def test_folder_of_another_user_is_refused_and_a_read_only_disk_is_not(tmp_path, monkeypatch):
    """Pages go on without the store, so a disk that is read-only today must not keep the desk from starting."""
    given = PRODUCTION | {"DESK_VAR_DIR": str(tmp_path / "var")}
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    assert [line.split()[0] for line in complaints(given)] == ["DESK_VAR_DIR"]

    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(f_flag=os.ST_RDONLY))
    assert complaints(given) == []


def start(*command: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return subprocess.run(
        [sys.executable, *command],
        cwd=settings.BASE_DIR,
        env=clean | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


SERVERS = {
    "gunicorn": ("-m", "gunicorn", "-c", "python:helpdesk.gunicorn_conf", "helpdesk.wsgi"),
    "another web server": ("-c", "import helpdesk.wsgi"),
    "worker": ("-m", "celery", "-A", "helpdesk", "worker"),
    "beat": ("-m", "celery", "-A", "helpdesk", "beat", "--pidfile="),
    "prepare_production": ("manage.py", "prepare_production"),
}


@pytest.mark.parametrize("name", SERVERS)
def test_server_with_forgotten_desk_env_does_not_start(name: str, tmp_path):
    """It would run on a laptop's defaults: with DEBUG, on SQLite, and with mails on the screen."""
    done = start(*SERVERS[name], DESK_VAR_DIR=str(tmp_path), WEB_BIND="127.0.0.1:1")

    assert done.returncode != 0
    assert "DESK_ENV" in done.stderr
    assert not (tmp_path / "db.sqlite3").exists()


def test_wrong_variables_are_listed_without_a_traceback(tmp_path):
    for command in (("manage.py", "check"), SERVERS["gunicorn"], SERVERS["worker"], SERVERS["beat"]):
        done = start(*command, DESK_ENV="prod", DESK_VAR_DIR=str(tmp_path), WEB_THREADS="many")

        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        for name in ("DESK_ENV must be", "WEB_THREADS must be", "SECRET_KEY is missing"):
            assert f"  - {name}" in done.stderr


def test_missing_key_of_the_mail_provider_is_named():
    env = PRODUCTION | {"EMAIL_URL": "", "DESK_MAIL_PROVIDER": "postmark"}

    refused = start("manage.py", "check", **env)
    accepted = start("manage.py", "check", **env, ANYMAIL_POSTMARK_SERVER_TOKEN="abc")

    assert refused.returncode == 1
    assert "POSTMARK_SERVER_TOKEN" in refused.stderr
    assert accepted.returncode == 0, accepted.stderr


def test_web_server_without_static_files_does_not_start(tmp_path):
    """Every page would answer 500: each names a style sheet."""
    env = PRODUCTION | {"DESK_STATIC_ROOT": str(tmp_path), "DESK_VAR_DIR": str(tmp_path)}

    for command in (SERVERS["another web server"], SERVERS["gunicorn"]):
        done = start(*command, **env, WEB_BIND="127.0.0.1:1")

        assert done.returncode != 0
        assert "run manage.py collectstatic" in done.stderr
    assert "Traceback" not in done.stderr, "Gunicorn says it once"


def test_debug_is_on_only_where_somebody_asks_for_it(tmp_path):
    show = ("-c", "from django.conf import settings; print(settings.DEBUG)")
    common = {"DESK_VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "helpdesk.settings"}
    cases = [
        ({}, False),
        ({"DESK_ENV": "development"}, True),
        ({"DESK_DEMO": "1"}, False),
        ({"DEBUG": "1"}, True),
    ]

    assert [(env, start(*show, **common, **env).stdout.strip()) for env, _debug in cases] == [
        (env, str(debug)) for env, debug in cases
    ]
