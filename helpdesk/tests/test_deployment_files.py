"""docker-compose.yml, both Dockerfiles, .env.example and the tables in docs/operations.md agree with the code: every
command, variable, file and health address in them exists. The tests only read them, because Docker cannot run here.
e2e/test_proxy.py runs the configuration of nginx."""

import re
import runpy
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

from helpdesk import gunicorn_conf, variables

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
READ_IN_CODE = re.compile(r"""(?:env\.\w+|os\.environ\.get|given\.get)\(\s*["']([A-Z0-9_]+)["']""")
NOT_OURS = {
    "PATH",
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "PIP_NO_CACHE_DIR",
    "PIP_DISABLE_PIP_VERSION_CHECK",
}


def variables_read() -> set[str]:
    sources = [ROOT / "helpdesk" / "settings.py", Path(gunicorn_conf.__file__), Path(variables.__file__)]
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


@pytest.mark.parametrize("name", ["web", "worker", "mailer", "beat"])
def test_systemd_unit_runs_the_command_of_compose(name: str):
    unit = (ROOT / "deploy" / "systemd" / f"desk-{name}.service").read_text()
    [command] = re.findall(r"^ExecStart=/srv/desk/app/\.venv/bin/(.*)$", unit, re.MULTILINE)

    assert command == OURS[name]["command"]


def test_every_process_of_compose_has_a_unit():
    units = {path.stem.removeprefix("desk-") for path in (ROOT / "deploy" / "systemd").glob("*.service")}

    assert units == (set(OURS) | {"proxy"}) - {"migrate"}


def test_dockerfile_command_exists():
    check_command(yaml.safe_load(values("CMD")[-1]))


def test_compose_has_exactly_the_expected_services():
    assert set(OURS) == {"web", "worker", "mailer", "beat", "migrate"}
    others = {"proxy", "postgres", "redis", "store", "mailpit", "clamav"}
    assert set(COMPOSE["services"]) - set(OURS) == others


@pytest.mark.parametrize("name", OURS)
def test_compose_sets_only_variables_the_code_reads(name: str):
    assert set(OURS[name]["environment"]) - variables_read() == set()


@pytest.mark.parametrize(
    ("threads", "kind"), [("1", "sync"), ("2", "helpdesk.gunicorn_worker.DeadlineWorker")]
)
def test_threads_choose_the_kind_of_worker(monkeypatch, threads: str, kind: str):
    monkeypatch.setenv("WEB_THREADS", threads)

    assert runpy.run_path(gunicorn_conf.__file__)["worker_class"] == kind


def test_compose_sets_every_variable_production_requires():
    required = set(variables.REQUIRED)
    for service in OURS.values():
        assert required | {"EMAIL_URL"} <= set(service["environment"])


def documented(*, outside_production: bool) -> set[str]:
    page = (ROOT / "docs" / "operations.md").read_text()
    before, _heading, after = page.partition("Outside production:\n")
    return set(re.findall(r"^\| `([A-Z0-9_]+)`", after if outside_production else before, re.MULTILINE))


def variables_of_compose() -> set[str]:
    """The variables of .env that only docker-compose.yml reads: for the proxy and the ports."""
    proxy = COMPOSE["services"]["proxy"]
    places = [*proxy["ports"], *proxy["volumes"], *proxy["environment"].values()]
    used = {name for place in places for name in re.findall(r"\$\{([A-Z0-9_]+)", place)}
    return used - variables_read()


@pytest.mark.parametrize("name", OURS)
def test_every_documented_variable_reaches_the_containers(name: str):
    of_the_web = {variable for variable in variables_read() if variable.startswith("WEB_")}
    wanted = documented(outside_production=False) - variables_of_compose()

    missing = wanted - set(OURS[name]["environment"]) - (set() if name == "web" else of_the_web)

    assert missing == set()
    assert {file["path"] for file in OURS[name]["env_file"]} == {".env"}, "for ANYMAIL_…"


def test_compose_fixes_no_variable_that_an_operator_may_choose():
    """Where the image has its place for something, compose names it; everything else may come from .env."""
    fixed = {name for name, value in OURS["web"]["environment"].items() if value and "${" not in str(value)}

    assert fixed == {"DESK_ENV", "DESK_VAR_DIR", "DESK_STATIC_ROOT", "WEB_BIND"}
    image = dict(re.findall(r"(DESK_[A-Z_]+)=(\S+)", DOCKERFILE))
    assert {name: OURS["web"]["environment"][name] for name in fixed - {"WEB_BIND"}} == {
        "DESK_ENV": "production",
        "DESK_VAR_DIR": image["DESK_VAR_DIR"],
        "DESK_STATIC_ROOT": image["DESK_STATIC_ROOT"],
    }


def test_example_has_only_variables_that_are_used():
    required = set(re.findall(r"\$\{([A-Z0-9_]+):\?", (ROOT / "docker-compose.yml").read_text()))
    used = variables_read() | variables_of_compose() | {"POSTGRES_PASSWORD"}

    assert required <= set(example_variables()) <= used


def test_web_processes_are_reached_through_the_proxy_only():
    assert {name for name, service in COMPOSE["services"].items() if service.get("ports")} == {
        "proxy",
        "mailpit",
    }


def test_proxy_fills_in_every_variable_of_its_templates():
    proxy = COMPOSE["services"]["proxy"]
    folder = ROOT / proxy["build"]
    dockerfile = re.sub(r"\\\n\s*", "", (folder / "Dockerfile").read_text())
    [environment] = re.findall(r"^ENV (.*)$", dockerfile, re.MULTILINE)
    given = set(re.findall(r"([A-Z_]+)=", environment)) | set(proxy["environment"])
    templates = [path.read_text() for path in folder.glob("*.template")]
    used = {name for text in templates for name in re.findall(r"\$\{([A-Z_]+)\}", text)}

    assert used
    assert used - given == set()
    includes = {place for text in templates for place in re.findall(r"include (\S+);", text)}
    for place in includes - {"${PROXY_MIME_TYPES}"}:
        named = place.rpartition("/")[2].replace("${PROXY_SCHEME}", "https")
        assert (folder / named).exists() or (folder / f"{named}.template").exists(), place


def test_proxy_and_desk_are_the_same_user():
    """nginx reads the uploaded files, which only their owner may read."""
    proxy = (ROOT / COMPOSE["services"]["proxy"]["build"] / "Dockerfile").read_text()

    assert re.findall(r"^USER (\d+)$", proxy, re.MULTILINE) == re.findall(r"--uid (\d+)", DOCKERFILE)


def test_proxy_and_desk_have_the_same_limit_by_default():
    default = COMPOSE["services"]["proxy"]["environment"]["DESK_MAX_REQUEST_MB"]

    assert default == f"${{DESK_MAX_REQUEST_MB:-{settings.DESK_MAX_REQUEST_MB}}}"


def test_example_holds_no_secret():
    secrets = {
        name: value for name, value in example_variables().items() if re.search("SECRET|PASSWORD|KEY", name)
    }

    assert len(secrets) == 4
    assert set(secrets.values()) == {""}


def default_of(value: str) -> str:
    """Return what compose makes of `value` without .env: «${A:-x}» is x; a required variable is left out."""
    while (filled := re.sub(r"\$\{[A-Z0-9_]+(?::-([^{}]*)|:\?[^{}]*)\}", r"\1", value)) != value:
        value = filled
    return value


def test_compose_addresses_name_services_that_exist():
    environment = OURS["web"]["environment"]
    hosts = {
        urlsplit(default_of(environment[name])).hostname
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
    explained = documented(outside_production=False) | documented(outside_production=True)

    assert explained == variables_read() | variables_of_compose()
