"""The settings that each environment leads to. They are read once per process, so each test starts a process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from helpdesk import __version__
from tools.production import PRODUCTION

SHOW = """
import json, sys
from django.conf import settings
print(json.dumps({name: getattr(settings, name, None) for name in sys.argv[1:]}, default=str))
"""


def run(env: dict[str, str], *names: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return subprocess.run(
        [sys.executable, "-c", SHOW, *names],
        cwd=settings.BASE_DIR,
        env=clean | {"DJANGO_SETTINGS_MODULE": "helpdesk.settings"} | env,
        capture_output=True,
        text=True,
        check=False,
    )


def read(env: dict[str, str], *names: str) -> dict[str, object]:
    process = run(env, *names)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def refusal(env: dict[str, str]) -> list[str]:
    process = run(env, "DEBUG")
    assert process.returncode != 0, "it started"
    lines = process.stderr.split("Not starting:\n")[1].splitlines()
    return [line.removeprefix("  - ") for line in lines]


def test_default_settings_are_the_embedded_size(tmp_path: Path):
    found = read(
        {"DESK_VAR_DIR": str(tmp_path)},
        "DEBUG",
        "ALLOWED_HOSTS",
        "DATABASES",
        "CELERY_BROKER_URL",
        "DESK_BASE_URL",
    )

    assert found["DATABASES"]["default"]["NAME"] == str(tmp_path / "db.sqlite3")
    assert found["DATABASES"]["default"]["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert found["CELERY_BROKER_URL"].startswith("filesystem://")
    assert found["ALLOWED_HOSTS"] == ["127.0.0.1", "localhost", "[::1]"]
    assert found["DESK_BASE_URL"] == "http://127.0.0.1:8000"
    assert found["DEBUG"] is False


def test_secret_key_is_made_once_per_installation(tmp_path: Path):
    here, there = {"DESK_VAR_DIR": str(tmp_path / "here")}, {"DESK_VAR_DIR": str(tmp_path / "there")}

    first, again, other = (read(env, "SECRET_KEY")["SECRET_KEY"] for env in (here, here, there))

    assert first == again != other
    assert len(first) >= 50
    assert (tmp_path / "here" / "secret_key").stat().st_mode & 0o077 == 0


def test_demo_hides_tracebacks_and_keeps_mails(tmp_path: Path):
    found = read({"DESK_VAR_DIR": str(tmp_path), "DESK_DEMO": "1"}, "DEBUG", "EMAIL_BACKEND")

    assert found == {"DEBUG": False, "EMAIL_BACKEND": "demo.mailbox.backend.DemoMailbox"}


def test_complete_production_settings_are_strict():
    names = (
        "DEBUG",
        "SECURE_SSL_REDIRECT",
        "SECURE_HSTS_SECONDS",
        "SESSION_COOKIE_NAME",
        "EMAIL_HOST",
        "EMAIL_USE_TLS",
    )

    assert read(PRODUCTION, *names) == {
        "DEBUG": False,
        "SECURE_SSL_REDIRECT": True,
        "SECURE_HSTS_SECONDS": 31536000,
        "SESSION_COOKIE_NAME": "__Host-desk_session",
        "EMAIL_HOST": "mail.invalid",
        "EMAIL_USE_TLS": True,
    }


def test_production_prefixes_every_cookie(tmp_path: Path):
    names = [
        f"{name}_COOKIE_NAME"
        for name in ("SESSION", "CSRF", "LANGUAGE", "DESK_THEME", "DESK_GUEST", "DESK_MESSAGES")
    ]
    over_https, over_http = read(PRODUCTION, *names), read({"DESK_VAR_DIR": str(tmp_path)}, *names)

    assert over_https == {name: f"__Host-{cookie}" for name, cookie in over_http.items()}


@pytest.mark.parametrize("switch", [{"DESK_ENV": "production"}, {"DEBUG": "0"}])
def test_production_lists_every_missing_variable(switch: dict[str, str]):
    first_words = {line.split()[0] for line in refusal(switch)}

    assert first_words == {
        "SECRET_KEY",
        "DATABASE_URL",
        "REDIS_URL",
        "DESK_BASE_URL",
        "EMAIL_URL",
        "DESK_SUPPORT_EMAIL",
    }


@pytest.mark.parametrize(
    ("env", "hosts", "one_host"),
    [
        (PRODUCTION | {"ALLOWED_HOSTS": ""}, ["ayuda.example.com"], True),
        (
            PRODUCTION | {"DESK_BASE_URL": "https://Ayuda.Example.com:8443", "ALLOWED_HOSTS": "viejo.example.com"},
            ["ayuda.example.com", "viejo.example.com"],
            True,
        ),
        ({"DESK_BASE_URL": "http://192.168.1.5:8000"}, ["192.168.1.5", "127.0.0.1", "localhost", "[::1]"], False),
        ({"DESK_BASE_URL": "http://[fd00::5]:8000", "ALLOWED_HOSTS": "mesa"}, ["[fd00::5]", "mesa"], False),
    ],
)  # fmt: skip
def test_host_of_the_base_url_is_always_allowed(tmp_path: Path, env, hosts, one_host):
    found = read({"DESK_VAR_DIR": str(tmp_path)} | env, "ALLOWED_HOSTS", "DESK_ONE_HOST")

    assert found == {"ALLOWED_HOSTS": hosts, "DESK_ONE_HOST": one_host}


def test_demo_is_installed_everywhere_but_in_production(tmp_path: Path):
    """The demo's table would hold every mail, including its links and codes."""
    embedded = read({"DESK_VAR_DIR": str(tmp_path)}, "INSTALLED_APPS")["INSTALLED_APPS"]
    production = read(PRODUCTION, "INSTALLED_APPS")["INSTALLED_APPS"]

    assert set(embedded) - set(production) == {"demo"}


def test_language_code_is_always_spanish(tmp_path: Path):
    env = {"DESK_VAR_DIR": str(tmp_path), "DESK_DEFAULT_LANGUAGE": "en"}

    assert read(env, "LANGUAGE_CODE", "DESK_DEFAULT_LANGUAGE") == {
        "LANGUAGE_CODE": "es",
        "DESK_DEFAULT_LANGUAGE": "en",
    }


def test_production_allows_sqlite_and_http_explicitly(tmp_path: Path):
    env = PRODUCTION | {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'desk.sqlite3'}",
        "DESK_ALLOW_SQLITE": "1",
        "DESK_BASE_URL": "http://10.0.0.5",
        "DESK_ALLOW_HTTP": "1",
    }

    assert read(env, "SESSION_COOKIE_SECURE", "SECURE_SSL_REDIRECT") == {
        "SESSION_COOKIE_SECURE": False,
        "SECURE_SSL_REDIRECT": False,
    }


def test_empty_variable_counts_as_missing():
    empty = dict.fromkeys(("DESK_MAX_UPLOAD_MB", "DESK_NAME", "DESK_DEFAULT_LANGUAGE", "LOG_LEVEL"), "")

    assert read(PRODUCTION | empty, "DESK_MAX_UPLOAD_MB", "DESK_NAME", "DESK_DEFAULT_LANGUAGE") == {
        "DESK_MAX_UPLOAD_MB": 25,
        "DESK_NAME": "Mesa de ayuda",
        "DESK_DEFAULT_LANGUAGE": "es",
    }


def test_mail_provider_replaces_smtp():
    env = {name: value for name, value in PRODUCTION.items() if name != "EMAIL_URL"}
    env |= {"DESK_MAIL_PROVIDER": "postmark", "ANYMAIL_POSTMARK_SERVER_TOKEN": "abc"}

    assert read(env, "EMAIL_BACKEND", "ANYMAIL") == {
        "EMAIL_BACKEND": "anymail.backends.postmark.EmailBackend",
        "ANYMAIL": {"POSTMARK_SERVER_TOKEN": "abc"},
    }


def test_s3_bucket_stores_the_files():
    keys = {"S3_ACCESS_KEY_ID": "AKIA", "S3_SECRET_ACCESS_KEY": "secret"}
    env = PRODUCTION | keys | {"S3_BUCKET": "mesa", "S3_ENDPOINT_URL": "http://store:9000"}

    options = read(env, "STORAGES")["STORAGES"]["default"]["OPTIONS"]

    assert (options["bucket_name"], options["endpoint_url"]) == ("mesa", "http://store:9000")
    assert options["public_endpoint_url"] == "", "browsers cannot reach it"


def test_public_address_of_the_store_must_be_one():
    env = PRODUCTION | {"S3_BUCKET": "mesa", "S3_PUBLIC_ENDPOINT_URL": "store:9000"}

    assert [line.split()[0] for line in refusal(env)] == ["S3_PUBLIC_ENDPOINT_URL"]


def test_content_security_policy_allows_nothing_that_it_does_not_name(client):
    policy = client.get("/cuenta/entrar/").headers["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert {part.strip().split()[0]: part.strip().split()[1:] for part in policy.split(";")} == {
        "default-src": ["'none'"],
        **{f"{kind}-src": ["'self'"] for kind in ("script", "style", "font", "connect", "media")},
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "report-uri": ["/informes/csp/"],
    }


def test_policy_names_the_reporting_api_over_https():
    """A browser that knows report-to ignores report-uri, and over http it sends nothing to report-to."""
    directives = read(PRODUCTION, "CONTENT_SECURITY_POLICY")["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]

    assert (directives["report-uri"], directives["report-to"]) == ("/informes/csp/", "csp")


def test_error_reports_contain_no_personal_data(tmp_path: Path):
    """Neither texts nor guests' tokens may reach the server that collects errors."""
    (tmp_path / "sentry_sdk.py").write_text(
        "import json, os\n"
        "def init(*, before_send, **options):\n"
        "    event = {'request': {'url': 'https://mesa.test/enlace/s3cr3t/'}}\n"
        "    os.environ['SEEN'] = json.dumps({**options, 'sent': before_send(event, {})})\n"
    )
    env = {
        "DESK_VAR_DIR": str(tmp_path),
        "PYTHONPATH": str(tmp_path),
        "SENTRY_DSN": "https://k@errors.test/1",
    }
    script = "import os; from django.conf import settings; settings.DEBUG; print(os.environ['SEEN'])"
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=settings.BASE_DIR,
        env=clean | {"DJANGO_SETTINGS_MODULE": "helpdesk.settings"} | env,
        capture_output=True,
        text=True,
        check=True,
    )
    seen = json.loads(done.stdout)

    assert seen["sent"]["request"]["url"] == "https://mesa.test/enlace/…/"
    assert (seen["send_default_pii"], seen["include_local_variables"]) == (False, False)
    assert seen["max_request_body_size"] == "never"
    assert seen["release"] == f"mesa-de-ayuda@{__version__}"
