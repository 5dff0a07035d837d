"""docker-compose.yml, Dockerfile, .env.example and the table in docs/operations.md agree with the code: every command,
variable, file and health address in them exists. The tests only read them, because Docker cannot run here."""

import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.test import Client
from gunicorn.config import Config

from helpdesk import gunicorn_conf

ROOT = settings.BASE_DIR
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OURS = {
    name: service for name, service in COMPOSE["services"].items() if service.get("image") == "mesa-de-ayuda"
}
DOCKERFILE = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
INSTRUCTIONS = [
    tuple(line.split(maxsplit=1))
    for line in DOCKERFILE.splitlines()
    if line.strip() and not line.startswith("#")
]
READ_IN_CODE = re.compile(r"""(?:env\.\w+|os\.environ\.get)\(\s*["']([A-Z0-9_]+)["']""")
NOT_OURS = {
    "PATH",
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "PIP_NO_CACHE_DIR",
    "PIP_DISABLE_PIP_VERSION_CHECK",
}


def variables_read() -> set[str]:
    sources = [ROOT / "helpdesk" / "settings.py", Path(gunicorn_conf.__file__)]
    return {name for source in sources for name in READ_IN_CODE.findall(source.read_text())}


def values(instruction: str) -> list[str]:
    return [rest for name, rest in INSTRUCTIONS if name == instruction]


def example_variables() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def check_command(command: list[str]) -> None:
    """Fail unless the program exists and knows every argument."""
    program, *arguments = command
    if program == "gunicorn":
        options = Config().parser().parse_args(arguments)
        assert options.config == f"python:{gunicorn_conf.__name__}"
        import_module(options.args[0])
    elif program == "celery":
        assert arguments[:2] == ["-A", "helpdesk"]
        arguments = arguments[2:]
        help_text = subprocess.run(
            [sys.executable, "-m", "celery", "-A", "helpdesk", arguments[0], "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for option in arguments[1:]:
            assert re.search(rf"{re.escape(option.split('=')[0])}\b", help_text), (
                f"celery {arguments[0]}: {option}"
            )
    elif program == "python" and arguments[0] == "manage.py":
        load_command_class(get_commands()[arguments[1]], arguments[1]).create_parser(
            "manage.py", arguments[1]
        )
    else:
        pytest.fail(f"nobody knows {program}")


@pytest.mark.parametrize("name", OURS)
def test_compose_command_exists(name: str):
    check_command(shlex.split(OURS[name]["command"]))


def test_dockerfile_command_exists():
    check_command(yaml.safe_load(values("CMD")[-1]))


def test_compose_has_exactly_the_expected_services():
    assert set(OURS) == {"web", "worker", "beat", "migrate"}
    assert set(COMPOSE["services"]) - set(OURS) == {"postgres", "redis", "store", "mailpit", "clamav"}


@pytest.mark.parametrize("name", OURS)
def test_compose_sets_only_variables_the_code_reads(name: str):
    assert set(OURS[name]["environment"]) - variables_read() == set()


def test_compose_sets_every_variable_production_requires():
    required = set(
        re.findall(r'wrong\.append\("([A-Z_]+) is missing', (ROOT / "helpdesk/settings.py").read_text())
    )
    assert required >= {"DATABASE_URL", "REDIS_URL", "DESK_BASE_URL", "DESK_SUPPORT_EMAIL"}
    for service in OURS.values():
        assert required | {"SECRET_KEY", "EMAIL_URL"} <= set(service["environment"])


def test_compose_and_example_have_the_same_variables():
    used = set(re.findall(r"\$\{([A-Z0-9_]+)", (ROOT / "docker-compose.yml").read_text()))

    assert used == set(example_variables())


def test_example_holds_no_secret():
    secrets = {
        name: value for name, value in example_variables().items() if re.search("SECRET|PASSWORD|KEY", name)
    }

    assert len(secrets) == 4
    assert set(secrets.values()) == {""}


def test_compose_addresses_name_services_that_exist():
    environment = OURS["web"]["environment"]
    hosts = {
        urlsplit(re.sub(r"\$\{[^}]*:-([^}]*)\}|\$\{[^}]*\}", r"\1", environment[name])).hostname
        for name in ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "S3_ENDPOINT_URL")
    }

    assert hosts == {"postgres", "redis", "mailpit", "store"}
    for service in OURS.values():
        assert set(service["depends_on"]) <= set(COMPOSE["services"])


def test_health_addresses_answer_on_the_web_port(client: Client):
    checks = [" ".join(COMPOSE["services"]["web"]["healthcheck"]["test"]), values("HEALTHCHECK")[0]]
    addresses = [urlsplit(address) for check in checks for address in re.findall(r"http://[^'\"]+", check)]

    assert len(addresses) == 2
    for address in addresses:
        assert address.port == int(gunicorn_conf.bind.rpartition(":")[2]) == int(values("EXPOSE")[0])
        assert client.get(address.path).json() == {"ok": True}


def test_dockerfile_has_two_stages_and_runs_unprivileged():
    last_stage = INSTRUCTIONS[max(i for i, (name, _rest) in enumerate(INSTRUCTIONS) if name == "FROM") :]

    assert len(values("FROM")) == 2
    assert [rest for name, rest in last_stage if name == "USER"] == ["desk"]
    names = [name for name, _rest in last_stage]
    assert names.index("USER") < names.index("CMD")


def test_dockerfile_names_existing_files_and_used_variables():
    for copied in values("COPY"):
        if not copied.startswith("--from"):
            assert all((ROOT / source).exists() for source in copied.split()[:-1])
    names = {name for rest in values("ENV") for name in re.findall(r"([A-Z0-9_]+)=", rest)}

    assert names - NOT_OURS - variables_read() == set()


def test_dockerignore_excludes_tests_secrets_and_local_data():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert {".git", ".env", "var", ".venv*", "**/tests"} <= set(ignored)


def test_operations_page_explains_every_variable_and_no_other():
    page = (ROOT / "docs" / "operations.md").read_text()
    explained = set(re.findall(r"^\| `([A-Z0-9_]+)`", page, re.MULTILINE))

    assert explained == variables_read()
