"""Start a private PostgreSQL, Redis, nginx or Dovecot server on a free port, for tests that need one and must not share
it. Uses the binaries of the distribution. The data are in a temporary folder that is deleted with the server."""

import grp
import http.client
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlencode

import psycopg
import redis

START_SECONDS = 30
NGINX_FILES = Path(__file__).resolve().parent.parent / "deploy" / "nginx"


class CannotServe(Exception):
    """The server is not installed or does not start. The message says which server."""


def spare_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(answers: Callable[[], bool], process: subprocess.Popen[bytes], what: str) -> None:
    """Wait until `answers()` is true. Raises `CannotServe` if the process ends or START_SECONDS have passed."""
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise CannotServe(f"{what} does not start")
        time.sleep(0.05)


class Server:
    """A server process with its own port and folder. It can be stopped and started again, with the same port and
    data."""

    name: str

    def __init__(self) -> None:
        self.port = spare_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"desk-{self.name}-"))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        """Return further arguments for Popen: the system user to run as."""
        return {}

    def start(self) -> Self:
        log = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            self.command(), cwd=self.folder, stdout=log, stderr=log, start_new_session=True, **self.options()
        )
        log.close()
        wait_for(self.answers, self.process, self.name)
        return self

    def stop(self, number: int = signal.SIGINT) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
            self.process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Postgres(Server):
    name = "postgresql"

    def __init__(self) -> None:
        super().__init__()
        self.data = self.folder / "data"
        if os.geteuid() == 0:  # the server refuses to run as root; Debian's package creates the user postgres
            shutil.chown(self.folder, "postgres", "postgres")
        # --no-sync: the data need not survive a power failure.
        initdb = [
            self.binary("initdb"),
            "-D",
            str(self.data),
            "-U",
            "desk",
            "--auth=trust",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        subprocess.run(initdb, check=True, capture_output=True, cwd=self.folder, **self.options())

    @staticmethod
    def binary(name: str) -> str:
        debian = sorted(
            Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4])
        )
        found = str(debian[-1]) if debian else shutil.which(name)
        if found is None:
            raise CannotServe("PostgreSQL is not installed (apt install postgresql)")
        return found

    @property
    def url(self) -> str:
        return f"postgres://desk@127.0.0.1:{self.port}/postgres"

    def options(self) -> dict[str, Any]:
        as_root = os.geteuid() == 0
        return {"user": "postgres", "group": "postgres", "extra_groups": []} if as_root else {}

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "fsync": "off",
            "full_page_writes": "off",
            "max_connections": "60",
        }
        arguments = [f"--{name}={value}" for name, value in settings.items()]
        return [
            self.binary("postgres"),
            "-D",
            str(self.data),
            "-p",
            str(self.port),
            "-k",
            str(self.folder),
            *arguments,
        ]

    def answers(self) -> bool:
        return postgres_answers(self.url)


class Redis(Server):
    name = "redis"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        binary = shutil.which("redis-server") or shutil.which("valkey-server")
        if binary is None:
            raise CannotServe("Redis is not installed (apt install redis-server)")
        return [
            binary,
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--dir",
            str(self.folder),
            "--appendonly",
            "yes",
        ]

    def answers(self) -> bool:
        return redis_answers(self.url)


class Nginx(Server):
    """nginx with the configuration in deploy/nginx, in front of one web process. With `https` it makes a certificate
    for 127.0.0.1."""

    name = "nginx"

    def __init__(self, web: str, *, https: bool = False, **variables: str) -> None:
        super().__init__()
        self.http_port = spare_port()
        self.https = https
        if https:
            self._make_certificate()
        self._fill_in(
            {
                "DESK_BASE_URL": self.url,
                "DESK_MAX_REQUEST_MB": "120",
                "PROXY_FILES": str(NGINX_FILES),
                "PROXY_STATE": str(self.folder),
                "PROXY_LOG": "/dev/stdout",
                "PROXY_MIME_TYPES": "/etc/nginx/mime.types",
                "PROXY_CERTIFICATES": str(self.folder),
                "PROXY_MEDIA": str(self.folder / "media"),
                "PROXY_WEB": web,
                "PROXY_RESOLVER": "127.0.0.1",
                "PROXY_SCHEME": "https" if https else "http",
                "PROXY_HTTP_PORT": f"127.0.0.1:{self.http_port if https else self.port}",
                "PROXY_HTTPS_PORT": f"127.0.0.1:{self.port}",
            }
            | variables
        )

    def _make_certificate(self) -> None:
        subprocess.run(
            [
                *(
                    "openssl",
                    "req",
                    "-x509",
                    "-newkey",
                    "rsa:2048",
                    "-nodes",
                    "-days",
                    "2",
                    "-subj",
                    "/CN=127.0.0.1",
                ),
                *(
                    "-addext",
                    "subjectAltName=IP:127.0.0.1",
                    "-keyout",
                    "privkey.pem",
                    "-out",
                    "fullchain.pem",
                ),
            ],
            cwd=self.folder,
            check=True,
            capture_output=True,
        )

    def _fill_in(self, variables: dict[str, str]) -> None:
        """Do what the image of nginx does when it starts: fill the variables into the templates."""
        for template in NGINX_FILES.glob("*.template"):
            text = re.sub(r"\$\{([A-Z_]+)\}", lambda found: variables[found[1]], template.read_text())
            (self.folder / template.stem).write_text(text)

    @property
    def url(self) -> str:
        return f"{'https' if self.https else 'http'}://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
        if binary is None:
            raise CannotServe("nginx is not installed (apt install nginx-light)")
        user = "user root;" if os.geteuid() == 0 else ""  # else as «nobody», who may not enter this folder
        return [binary, "-c", str(self.folder / "nginx.conf"), "-e", "stderr", "-g", f"daemon off; {user}"]

    def answers(self) -> bool:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.http_port if self.https else self.port, timeout=5
        )
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def postgres_answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


def redis_answers(url: str) -> bool:
    client = redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=2)
    try:
        client.ping()
    except redis.RedisError:
        return False
    finally:
        client.close()
    return True


DOVECOT = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
ssl = no
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%u
auth_mechanisms = plain
mail_fsync = never
passdb {{
  driver = static
  args = password=secreto
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class Dovecot(Server):
    """An IMAP server without TLS. Every name may sign in with the password «secreto»; `deliver` puts mails into a
    mailbox, as a mail server does."""

    name = "dovecot"

    def __init__(self) -> None:
        super().__init__()
        owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.uid, self.gid = owner.pw_uid, owner.pw_gid
        self.folder.chmod(0o755)
        for name in ("run", "state", "mail"):
            (self.folder / name).mkdir()
        self._own(self.folder / "mail")
        group = grp.getgrgid(self.gid).gr_name
        text = DOVECOT.format(
            folder=self.folder, user=owner.pw_name, group=group, uid=self.uid, gid=self.gid, port=self.port
        )
        (self.folder / "dovecot.conf").write_text(text)
        self._number = 0

    def url_of(self, user: str, **query: str) -> str:
        """Return the value of `DESK_MAILBOXES` for the mailbox of `user`."""
        return f"imap://{quote(user, safe='')}:secreto@127.0.0.1:{self.port}/INBOX?{urlencode(query)}"

    def deliver(self, user: str, *mails: bytes) -> None:
        """Put mails into the INBOX of `user`, in this order."""
        box = self.folder / "mail" / user
        if not box.exists():
            for name in ("", "new", "cur", "tmp"):
                (box / name).mkdir()
                self._own(box / name)
        for raw in mails:
            self._number += 1
            name = f"{1_700_000_000 + self._number}.M{self._number:06}P1.desk"
            path = box / "tmp" / name
            path.write_bytes(raw)
            self._own(path)
            path.rename(box / "new" / name)

    def _own(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)

    def command(self) -> list[str]:
        binary = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin:/sbin")
        if binary is None:
            raise CannotServe("Dovecot is not installed (apt install dovecot-imapd)")
        return [binary, "-F", "-c", str(self.folder / "dovecot.conf")]

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                return probe.recv(10).startswith(b"* OK")
        except OSError:
            return False
