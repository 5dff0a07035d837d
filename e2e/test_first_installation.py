"""A first installation, played from docs/operations.md: its own commands, with empty folders, a database, a broker and
a mail server, until the first administrator and a customer read their pages through nginx.

What a test may not do is left out by name (`NOT_HERE`): install packages, make system users, ask systemd. The units'
commands are started as systemd would start them.
"""

import os
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import pytest

from demo.supervisor import Child
from e2e.sink import MailSink
from e2e.waiting import until
from tools.servers import CannotServe, Postgres, Redis, spare_port

pytestmark = pytest.mark.topology

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
PASSWORD = "una-clave-larga-2026"
NOT_HERE = (
    "python3 -m venv .venv",  # the tests' own packages, of the same locks
    ".venv/bin/pip install --require-hashes -r requirements.txt -r requirements-prod.txt",
    "chown desk:desk /srv/desk/var",
)
READY_SECONDS = 90


def commands() -> list[str]:
    """Return the `sh` blocks of the section, in order."""
    section = PAGE.split("\n## First installation\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


@dataclass
class Machine:
    """The folders, servers and ports that stand for those of the page."""

    folder: Path
    replaced: dict[str, str]
    children: list[Child] = field(default_factory=list)
    said: str = ""

    def own(self, text: str) -> str:
        """Return `text` with this machine's places and addresses instead of the page's."""
        for line in NOT_HERE:
            text = text.replace(f"{line}\n", "")
        for there, here in self.replaced.items():
            text = text.replace(there, here)
        return text

    def run(self, script: str) -> str:
        """Run one block in a shell that remembers the variables of the block before. Returns what it printed."""
        state = self.folder / "state"
        text = f". {state}\ncd {self.folder}/srv/desk/app\n{self.own(script)}\nexport -p > {state}\n"
        done = subprocess.run(
            ["sh", "-e", "-c", text],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": os.environ["PATH"]},
        )
        self.said += done.stdout
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}\n{self.logs()}"
        return done.stdout

    def start(self, unit: Path) -> None:
        """Start the command of a systemd unit with the variables of its file, as its user would."""
        lines = dict(re.findall(r"^([A-Z][A-Za-z]+)=(.*)$", unit.read_text(), re.MULTILINE))
        env = {"PATH": os.environ["PATH"]} | self.variables(lines.get("EnvironmentFile", ""))
        command = shlex.split(self.own(lines["ExecStart"]))
        if command[0].endswith("nginx") and os.geteuid() == 0:
            command[-1] += " user root;"  # else its processes are «nobody», who may not enter this folder
        script = ["sh", "-c", f"cd {self.folder}/srv/desk/app; exec {shlex.join(command)}"]
        child = Child(unit.stem, script, self.folder / "log" / f"{unit.stem}.log", env)
        child.start()
        self.children.append(child)

    def variables(self, file: str) -> dict[str, str]:
        if not file:
            return {}
        lines = (line.split("=", 1) for line in Path(self.own(file)).read_text().splitlines())
        return {name: value.strip("'") for name, value in lines}

    def stop(self) -> None:
        for child in self.children:
            if child.process is not None:
                child.process.terminate()
        for child in self.children:
            if child.process is not None:
                try:
                    child.process.wait(10)
                except subprocess.TimeoutExpired:
                    child.signal_group(9)
                    child.process.wait()

    def logs(self) -> str:
        tails = [path.read_text(errors="replace")[-2000:] for path in (self.folder / "log").glob("*.log")]
        return "\n---\n".join(tails)


@pytest.fixture
def sink() -> Iterator[MailSink]:
    with MailSink() as sink:
        yield sink


@pytest.fixture
def machine(tmp_path: Path, sink: MailSink) -> Iterator[Machine]:
    app = tmp_path / "srv" / "desk" / "app"
    ignored = shutil.ignore_patterns(
        ".git", "var", ".venv", "node_modules", "staticfiles", "tmp", "__pycache__", ".*_cache"
    )
    shutil.copytree(ROOT, app, ignore=ignored)
    programs = app / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("gunicorn", "celery"):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} -m {name} "$@"\n')
        (programs / name).chmod(0o755)
    (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (programs / "python").chmod(0o755)
    (tmp_path / "state").write_text("")
    for folder in ("etc/systemd/system", "etc/logrotate.d"):
        (tmp_path / folder).mkdir(parents=True)
    web, http, https = spare_port(), spare_port(), spare_port()
    try:
        with Postgres() as postgres, Redis() as redis:
            made = Machine(
                tmp_path,
                {
                    "-o desk -g desk ": "",
                    "runuser -u desk -- ": "",
                    "curl ": "curl --cacert /srv/desk/certificates/fullchain.pem ",
                    "/srv/desk": f"{tmp_path}/srv/desk",
                    "/etc/": f"{tmp_path}/etc/",
                    "postgres://desk:password@127.0.0.1:5432/desk": postgres.url,
                    "redis://127.0.0.1:6379/0": redis.url,
                    "smtp+tls://user:password@mail.example.com:587": f"smtp://127.0.0.1:{sink.port}",
                    "https://ayuda.example.com": f"https://127.0.0.1:{https}",
                    "WEB_BIND=127.0.0.1:8000": f"WEB_BIND=127.0.0.1:{web}",
                    "export PROXY_STATE": f"export PROXY_WEB=127.0.0.1:{web} PROXY_HTTP_PORT={http}"
                    f" PROXY_HTTPS_PORT={https} PROXY_MIME_TYPES=/etc/nginx/mime.types PROXY_STATE",
                },
            )
            try:
                yield made
            finally:
                made.stop()
    except CannotServe as problem:
        pytest.skip(str(problem))


class Browser:
    """Somebody with cookies who trusts the machine's certificate."""

    def __init__(self, machine: Machine, base: str) -> None:
        context = ssl.create_default_context(cafile=machine.folder / "srv/desk/certificates/fullchain.pem")
        self.base, self.cookies = base, CookieJar()
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(self.cookies)
        )
        self.address, self.page = "", ""

    def get(self, address: str) -> str:
        return self._open(urllib.request.Request(address if "://" in address else self.base + address))

    def submit(self, form: dict[str, str], path: str = "") -> str:
        """Send a form to the page that is open, or to `path`, with its token, as a browser does."""
        [token, *_more] = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.page)
        headers = {"Referer": self.address, "Origin": self.base}
        data = urlencode(form | {"csrfmiddlewaretoken": token}).encode()
        return self._open(urllib.request.Request(self.base + path if path else self.address, data, headers))

    def _open(self, request: urllib.request.Request) -> str:
        with self.opener.open(request, timeout=30) as answer:
            self.address, self.page = answer.geturl(), unescape(answer.read().decode())
        return self.page


def make_certificate(folder: Path) -> None:
    """Do what a certificate authority does between the steps 4 and 5."""
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1"
    places = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "privkey.pem", "-out", "fullchain.pem"]
    subprocess.run([*command.split(), *places], cwd=folder, check=True, capture_output=True)


def test_commands_of_the_page_end_in_a_desk_that_works(machine: Machine, sink: MailSink) -> None:
    program, variables, prepare, proxy, units, ready, later = commands()
    machine.run(program)
    machine.run(variables)
    said = machine.run(prepare)
    assert "accepted the mail" in said
    until(lambda: sink.to("ana@example.com"), "the test mail")
    make_certificate(machine.folder / "srv/desk/certificates")
    machine.run(proxy)
    machine.run(units)
    for unit in sorted((machine.folder / "etc/systemd/system").glob("*.service")):
        machine.start(unit)
    assert {child.name for child in machine.children} == {
        "desk-web",
        "desk-worker",
        "desk-mailer",
        "desk-beat",
        "desk-proxy",
    }
    assert '"ready": true' in machine.run(ready)
    assert '"logger":"nginx"' in (machine.folder / "srv/desk/log/proxy.log").read_text()
    script = machine.folder / "srv/desk/app/deploy/manage"
    script.write_text(machine.own(script.read_text()))
    assert "Rows without file: 0" in machine.run(later)

    # The first administrator, with the link that was printed: no mail is needed.
    [link] = re.findall(r"https://\S+/cuenta/clave/primera/\S+", said)
    base = machine.own("https://ayuda.example.com")
    ana = Browser(machine, base)
    ana.get(link)
    ana.submit({"password1": PASSWORD, "password2": PASSWORD})
    ana.get("/cuenta/entrar/")
    page = ana.submit({"login": "ana@example.com", "password": PASSWORD})
    assert ana.address.endswith("/puesta-en-marcha/")
    assert "Agentes y supervisores" in page
    assert "Última señal: hace" in page, "worker and beat run"

    # A mail by way of outbox, worker and mail server.
    ana.submit({}, "/puesta-en-marcha/correo/")
    until(lambda: any("Correo de prueba" in str(m.message["Subject"]) for m in sink.mails), machine.logs)
    until(lambda: "El último salió" in ana.get("/puesta-en-marcha/"), machine.logs)

    # Customers choose among the cases of the library's processes.
    assert "Problema con la App" in Browser(machine, base).get("/nuevo/")


def test_every_command_left_out_is_on_the_page() -> None:
    """So that nobody leaves out a command that the page no longer has."""
    text = "".join(commands())

    assert [line for line in NOT_HERE if f"{line}\n" not in text] == []
