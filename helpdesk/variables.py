"""Check the environment variables before anything reads them: a value that would fail later stops the start, with one
message that names every wrong variable and the value it wants. docs/operations.md explains the variables.

Imports no settings, so that Gunicorn's own configuration can be checked too.
"""

import ipaddress
import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

TRUE, FALSE = ("1", "true", "yes", "on", "y", "ok"), ("0", "false", "no", "off", "n")
ANYMAIL_OWN = {"base", "base_requests", "console", "test", "__init__"}  # modules there that are no provider
QUOTES = ("'", '"')
KEYS = ("SECRET_KEY", "SECRET_KEY_FALLBACKS")  # a working one may look like anything
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
REDIS_TLS = {
    "ssl_cert_reqs",
    "ssl_ca_certs",
    "ssl_certfile",
    "ssl_keyfile",
}  # cache and Celery read these alike
LIBPQ_NUMBERS = {
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
}
LIBPQ_OURS = {"host", "hostaddr", "port", "dbname", "user", "password"}  # they stand before the query
DEFAULT_POOL, DEFAULT_THREADS = 10, 8  # settings.DATABASES, gunicorn_conf.threads


class WrongVariables(ImproperlyConfigured):
    """The environment is wrong. The message lists every variable and shows no secret."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("Not starting:\n" + "\n".join(f"  - {line}" for line in complaints))


@dataclass(frozen=True)
class Variable:
    """`wanted` ends the sentence «NAME must be …». The value of a secret is never shown."""

    wanted: str
    accepts: Callable[[str], object]
    secret: bool = False

    def complaint(self, name: str, value: str) -> str:
        """Return what is wrong with `value`, or "". A parser that raises ValueError refuses it."""
        if value != value.strip():
            return f"{name} must not begin or end with a space or a line break"
        if value[0] == value[-1] and value[0] in QUOTES and name not in KEYS:
            return f"{name} must stand without quotation marks: they are part of the value here"
        try:
            if self.accepts(value):
                return ""
        except (LookupError, ValueError, OSError):  # OSError: a path that cannot be looked at
            pass
        shown = "" if self.secret else f", not «{value if value.isprintable() else ascii(value)[1:-1]}»"
        return f"{name} must be {self.wanted}{shown}"


def _whole(least: int, most: int = 10**9) -> Variable:
    def accepts(value: str) -> bool:
        return re.fullmatch(r"-?[0-9]+", value) is not None and least <= int(value) <= most

    return Variable(f"a whole number from {least} to {most}", accepts)


def _one_of(*choices: str) -> Variable:
    named = f"{', '.join(choices[:-1])} or {choices[-1]}"
    return Variable(named, lambda value: value in choices)


def _matching(pattern: str, wanted: str, *, secret: bool = False) -> Variable:
    return Variable(wanted, re.compile(pattern).fullmatch, secret)


def _every(accepts: Callable[[str], object], wanted: str, *, secret: bool = False) -> Variable:
    """A list of values, separated by commas and nothing else: what reads it would take a space for a part of them."""

    def accepts_all(value: str) -> bool:
        return all(part and part == part.strip() and accepts(part) for part in value.split(","))

    return Variable(f"{wanted}, separated by commas without spaces", accepts_all, secret)


def _address(value: str) -> bool:
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True


def _sender(value: str) -> bool:
    found = re.fullmatch(r"""(?:"[^"<>]*"|[^"<>,@]*)<([^<>]+)>|([^<>,\s]+)""", value)
    return found is not None and value.isprintable() and len(value) <= 200 and _address(found[1] or found[2])


def _network(value: str) -> bool:
    ipaddress.ip_network(value)
    return True


def _split(value: str) -> SplitResult:
    """Return the parts of an address. Raises ValueError if it has a space, or a port that is no port."""
    parts = urlsplit(value)
    if re.search(r"\s", value) or not value.isprintable() or parts.port == 0:
        raise ValueError(value)
    return parts


def _host(name: str | None) -> bool:
    """Whether `name` can be a host: a name of ASCII letters, digits, - and _, or an IP address."""
    if not name:
        return False
    if ":" in name or re.fullmatch(r"[0-9.]+", name):
        ipaddress.ip_address(name)
        return True
    return re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_-]+)*", name) is not None


def _web_host(name: str | None) -> bool:
    """Whether browsers, Django and boto accept the host `name`: none has an underscore."""
    return _host(name) and "_" not in str(name)


def _web_address(value: str) -> bool:
    """Whether `value` is http or https with a host."""
    parts = _split(value)
    return value.startswith(("http://", "https://")) and _host(parts.hostname)


def _mailbox(value: str) -> bool:
    """Whether `value` names a mailbox: a server, and who signs in there."""
    parts = _split(value)
    known = parts.scheme in ("imap", "imaps", "imap+tls") and _host(parts.hostname)
    address = dict(parse_qsl(parts.query)).get("address", "")
    return bool(known and parts.username and parts.password) and (not address or _address(address))


def _base_url(value: str) -> bool:
    parts = _split(value)
    extra = parts.path not in ("", "/") or any(sign in value for sign in "?#@") or value.endswith(":")
    return _web_address(value) and _web_host(parts.hostname) and not extra


def _origin(value: str) -> bool:
    """Whether `value` is what a browser writes into `Origin`, or stands for all names under one: https://*.example.com.
    Django compares it as it is, so a slash at its end would fit no browser."""
    return _base_url(value.replace("://*.", "://any.", 1)) and not value.endswith("/")


def _store_address(value: str) -> bool:
    parts = _split(value)
    return (
        _web_address(value)
        and _web_host(parts.hostname)
        and not any((parts.query, parts.fragment, parts.username))
    )


def _service(value: str) -> bool:
    parts = _split(value)
    return _web_address(value) and not any((parts.query, parts.fragment, parts.username))


def _database(value: str) -> bool:
    parts = _split(value.replace("#", "%23"))  # as django-environ does: a password may contain one
    if parts.scheme == "sqlite":
        path = value.removeprefix("sqlite:///")
        return value.startswith("sqlite:///") and path != "" and Path(path).parent.is_dir()
    if parts.scheme not in ("postgres", "postgresql", "psql", "pgsql"):
        return False
    name = parts.path.removeprefix("/")
    hosts = unquote(parts.netloc.rpartition("@")[2])
    # Several hosts, or the folder of a socket, are libpq's business.
    is_host = not hosts or hosts.startswith("/") or "," in hosts or _host(parts.hostname)
    return bool(name) and "/" not in name and is_host and _libpq_options(parts.query)


def _libpq_options(query: str) -> bool:
    """Whether the query of a DATABASE_URL has only what libpq knows, and numbers where it wants numbers."""
    if not query:
        return True
    from psycopg import pq

    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    given = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True))
    numbers = [value for name, value in given.items() if name in LIBPQ_NUMBERS]
    return (
        given.keys() <= known - LIBPQ_OURS
        and all(re.fullmatch(r"[0-9]{1,9}", number) for number in numbers)
        and given.get("sslmode", "prefer") in SSL_MODES
    )


def _redis(value: str) -> bool:
    parts = _split(value)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    return (
        parts.scheme in ("redis", "rediss")
        and _host(parts.hostname)
        and re.fullmatch(r"/?[0-9]*", parts.path) is not None
        and not parts.fragment
        and options.keys() <= (REDIS_TLS if parts.scheme == "rediss" else set())
        and options.get("ssl_cert_reqs", "required") in ("none", "optional", "required")
    )


def _mail_server(value: str) -> bool:
    """Whether `value` names an SMTP server. Schemes that show or drop mail are for developers (`complaints`)."""
    parts = _split(value)
    if parts.scheme in ("consolemail", "dummymail", "memorymail", "filemail"):
        return True
    extra = parts.path.strip("/") or parts.query or parts.fragment
    sign_in = unquote(f"{parts.username or ''}{parts.password or ''}")  # smtplib sends ASCII only
    wrong_port = {"smtp": 465, "smtp+tls": 465, "smtp+ssl": 587}.get(parts.scheme, parts.port)
    return _host(parts.hostname) and parts.port != wrong_port and not extra and sign_in.isascii()


def _mail_provider(value: str) -> bool:
    return (
        value.isidentifier()
        and value not in ANYMAIL_OWN
        and find_spec(f"anymail.backends.{value}") is not None
    )


def _host_and_port(value: str) -> bool:
    parts = _split(f"//{value}")
    return _host(parts.hostname) and bool(parts.port) and not parts.path and "@" not in value


def _scanner(value: str) -> bool:
    return value.startswith("/") or _host_and_port(value)


def _listener(value: str) -> bool:
    if value.startswith("unix:/"):
        return _file(value.removeprefix("unix:"))
    return re.fullmatch(r"fd://[0-9]+", value) is not None or _host_and_port(value)


def _file(value: str) -> bool:
    """Whether `value` can be a file: an absolute path in a folder that is there."""
    return value.startswith("/") and Path(value).parent.is_dir() and not Path(value).is_dir()


def _host_name(value: str) -> bool:
    return re.fullmatch(r"\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\]", value) is not None


def _folder(value: str) -> bool:
    """Whether `value` is the absolute path of a folder that is there, or of one that can be made."""
    return value.startswith("/") and "\0" not in value and _nearest(Path(value)).is_dir()


def _writable_folder(value: str) -> bool:
    """Whether this process may write there. A disk that is read-only now is a fault of today, not of the variable:
    pages go on without it, and /readyz says so."""
    if not _folder(value):
        return False
    nearest = _nearest(Path(value))
    is_read_only = bool(os.statvfs(nearest).f_flag & os.ST_RDONLY)
    return is_read_only or os.access(nearest, os.W_OK | os.X_OK)


def _nearest(path: Path) -> Path:
    """Return `path`, or the folder above it that is there. Raises OSError if it cannot be looked at."""
    return next(found for found in (path, *path.parents) if found.exists())


def _error_reports(value: str) -> bool:
    parts = _split(value)
    return _web_address(value) and bool(parts.username) and parts.path.rpartition("/")[2].isdecimal()


def _sums_up(value: str) -> bool:
    """Whether `value` fits on the line of a mail's header and in the title of a page."""
    return value.isprintable() and bool(value.strip()) and len(value) <= 80


_TEXT = Variable("one line of at most 80 characters", _sums_up)
_SWITCH = Variable("1 or 0", lambda value: value.lower() in TRUE + FALSE)
_LINK = Variable("an address such as https://example.com/condiciones", _web_address)
_PHONE = Variable(
    "a telephone number such as +58 212 555 01 02",
    lambda value: value.isprintable() and sum(map(str.isdigit, value)) >= 3 and len(value) <= 80,
)
_NETWORKS = _every(_network, "networks such as 10.0.0.0/8")
_LEVEL = Variable(
    "DEBUG, INFO, WARNING, ERROR or CRITICAL", lambda value: logging.getLevelNamesMapping()[value.upper()] > 0
)
_STORE = "an address such as https://store.example.com:9000, without underscores"
# In an address that contains a password.
_ESCAPED = "a password's / ? # @ % are written %2F %3F %23 %40 %25"

VARIABLES: dict[str, Variable] = {
    "DESK_ENV": _one_of("production", "development"),
    "SECRET_KEY": _matching(r".{50,}", "a random text of 50 characters or more", secret=True),
    "SECRET_KEY_FALLBACKS": _every(lambda key: len(key) >= 50, "earlier values of SECRET_KEY", secret=True),
    "DATABASE_URL": Variable(f"postgres://user:password@host:5432/name ({_ESCAPED})", _database, secret=True),
    "DATABASE_POOL_SIZE": _whole(1, 1000),
    "REDIS_URL": Variable(f"redis://host:6379/0 ({_ESCAPED})", _redis, secret=True),
    "DESK_BASE_URL": Variable(
        "the address of a host that serves nothing else, such as https://ayuda.example.com, without a path",
        _base_url,
    ),
    "DESK_SUPPORT_EMAIL": Variable("an address such as soporte@example.com", _address),
    "DESK_TRUSTED_PROXIES": _NETWORKS,
    "EMAIL_URL": Variable(
        f"smtp+tls://user:password@host:587, or smtp+ssl:// for port 465 ({_ESCAPED})",
        _mail_server,
        secret=True,
    ),
    "DESK_MAIL_PROVIDER": Variable(
        "a backend of anymail such as postmark or amazon_ses (https://anymail.dev)", _mail_provider
    ),
    "DESK_NAME": _TEXT,
    "DESK_FOLIO_PREFIX": _matching(r"[A-Za-z][A-Za-z0-9]{0,9}", "one to ten letters and digits such as MA"),
    "DESK_FOLIO_START": _whole(0),
    "DESK_SUPPORT_PHONE": _PHONE,
    "DESK_SUPPORT_WHATSAPP": _PHONE,
    "DESK_FROM_EMAIL": Variable("an address, or a name and an address: Mesa <ayuda@example.com>", _sender),
    "DESK_ASSISTANT_NAME": _TEXT,
    "DESK_ASSISTANT_FACE": _one_of("lighthouse", "headset", "bubble", "car"),
    "DESK_WIDGET_ORIGINS": _every(
        _origin, "addresses of sites such as https://www.example.com without a slash at the end"
    ),
    "DESK_TERMS_URL": _LINK,
    "DESK_REPLY_DOMAIN": _matching(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", "a domain such as ayuda.example.com"),
    "DESK_MAILBOXES": _every(
        _mailbox,
        "imaps://user:password@host/INBOX?address=soporte@example.com (escape , as %2C)",
        secret=True,
    ),
    "DESK_MAIL_AUTH_SERVER": _matching(
        r"[A-Za-z0-9.-]+", "the name before the first ; in its Authentication-Results, such as mx.example.com"
    ),
    "DESK_SUGGESTIONS": _one_of("lexical", "openai-compatible"),
    "DESK_ANSWERS_URL": Variable("an address such as https://api.example.com/v1", _service),
    "DESK_ANSWERS_KEY": _matching(r"[!-~]+", "a key of ASCII characters without spaces", secret=True),
    "DESK_ANSWERS_MODEL": _matching(r"[!-~]{1,200}", "the name of a model, without spaces"),
    "DESK_ANSWERS_SECONDS": _whole(1, 20),
    "DESK_ANSWERS_DAILY_TOKENS": _whole(0),
    "DESK_TIME_ZONE": Variable(
        "a time zone such as America/Caracas",
        lambda value: value in available_timezones() - {"localtime", "Factory"},
    ),
    "DESK_DEFAULT_LANGUAGE": _one_of("es", "en"),
    "DESK_MAX_UPLOAD_MB": _whole(1, 100_000),
    "DESK_MAX_REQUEST_MB": _whole(1, 100_000),
    "DESK_MAX_UNSENT_MB": _whole(1, 1_000_000),
    "DESK_MAX_IMAGE_PIXELS": _whole(1, 1_000_000_000),
    "DESK_PICTURES_AT_ONCE": _whole(1, 1000),
    "DESK_CLAMAV": Variable("host:port, or the path of a socket", _scanner),
    "DESK_ACCEL_PREFIX": _matching(r"(/[A-Za-z0-9_-]+)+/", "a location of nginx such as /media-interna/"),
    "S3_BUCKET": _matching(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}", "the name of a bucket"),
    "S3_ENDPOINT_URL": Variable(_STORE, _store_address),
    "S3_PUBLIC_ENDPOINT_URL": Variable(
        "the address of the store that browsers reach, such as https://files.example.com", _store_address
    ),
    "S3_REGION": _matching(r"[a-z0-9-]+", "a region such as us-east-1"),
    "S3_ACCESS_KEY_ID": _matching(r"[!-~]+", "a key of ASCII characters without spaces", secret=True),
    "S3_SECRET_ACCESS_KEY": _matching(r"[!-~]+", "a key of ASCII characters without spaces", secret=True),
    "DESK_VAR_DIR": Variable("the absolute path of a folder in which this user may write", _writable_folder),
    "DESK_STATIC_ROOT": Variable("the absolute path of a folder", _folder),
    "WEB_BIND": Variable("host:port, or unix:/path in a folder that is there", _listener),
    "WEB_CONCURRENCY": _whole(1, 1000),
    "WEB_THREADS": _whole(1, 1000),
    "WEB_ACCESS_LOG": Variable(
        "- or the absolute path of a file in a folder that is there",
        lambda value: value == "-" or _file(value),
    ),
    "WEB_LOG_LEVEL": _one_of("debug", "info", "warning", "error", "critical"),
    "DESK_SECOND_FACTOR_FROM": _one_of("agent", "supervisor", "administrator"),
    "ALLOWED_HOSTS": _every(_host_name, "names of hosts without *"),
    "CSRF_TRUSTED_ORIGINS": _every(
        _origin, "addresses such as https://ayuda.example.com without a slash at the end"
    ),
    "DESK_HSTS_SECONDS": _whole(0),
    "DESK_ALLOW_HTTP": _SWITCH,
    "DESK_ALLOW_SQLITE": _SWITCH,
    "DESK_LATE_MAIL_SECONDS": _whole(1),
    "DESK_LATE_HEARTBEAT_SECONDS": _whole(1),
    "DESK_READYZ_NETWORKS": _NETWORKS,
    "DESK_READYZ_TOKEN": _matching(
        r"[!-~]{20,}", "a random ASCII text of 20 characters or more", secret=True
    ),
    "LOG_LEVEL": _LEVEL,
    "SENTRY_DSN": Variable(
        "an address such as https://key@errors.example.com/1", _error_reports, secret=True
    ),
    "DESK_DEMO": _SWITCH,
    "DEBUG": _SWITCH,
    "PORT": _whole(1, 65535),
}

REQUIRED = {
    "SECRET_KEY": "python3 -c 'import secrets; print(secrets.token_urlsafe(60))'",
    "DATABASE_URL": "postgres://user:password@host:5432/name",
    "REDIS_URL": "redis://host:6379/0",
    "DESK_BASE_URL": "https://ayuda.example.com",
    "DESK_SUPPORT_EMAIL": "customers get mail from this address",
}
"""What production needs, each with an example or a reason."""


def is_true(value: str) -> bool:
    return value.lower() in TRUE


def is_production(environment: Mapping[str, str]) -> bool:
    """Whether these variables mean production. DEBUG=0 outside the demo means it, too; so does an unknown DESK_ENV, of
    which `complaints` complains with everything else that production needs."""
    given = environment.get("DESK_ENV", "")
    if given not in ("", "development"):
        return True
    debug_is_off = environment.get("DEBUG", "") != "" and not is_true(environment["DEBUG"])
    return debug_is_off and not is_true(environment.get("DESK_DEMO", ""))


def complaints(environment: Mapping[str, str]) -> list[str]:
    """Return a sentence for every variable that is wrong, alone or beside another, or missing. An empty variable counts
    as missing."""
    given = {name: value for name, value in environment.items() if value}
    wrong: dict[str, str] = {}
    for name, variable in VARIABLES.items():
        if name in given and (line := variable.complaint(name, given[name])):
            wrong[name] = line
    found = [*_missing_or_forbidden(given), *_misspelt(given)] if is_production(given) else []
    for name, line in [*found, *_beside_another(given, wrong)]:
        wrong.setdefault(name, line)
    return list(wrong.values())


def _missing_or_forbidden(given: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what production needs and has not, and what it must not have."""
    base, database = given.get("DESK_BASE_URL", ""), given.get("DATABASE_URL", "")
    mail, key = given.get("EMAIL_URL", ""), given.get("SECRET_KEY", "")
    is_https = base.startswith("https://")
    cases = {
        "DEBUG": (is_true(given.get("DEBUG", "")), "must be off in production"),
        "DESK_DEMO": (
            is_true(given.get("DESK_DEMO", "")),
            "must be off in production: it publishes every mail",
        ),
        **{name: (name not in given, f"is missing ({example})") for name, example in REQUIRED.items()},
    }
    lines = [(name, f"{name} {words}") for name, (holds, words) in cases.items() if holds]
    if key and (len(set(key)) < 5 or "change" in key.lower()):
        lines.append(("SECRET_KEY", "SECRET_KEY must be a random text of 50 characters or more"))
    if database.startswith("sqlite") and not is_true(given.get("DESK_ALLOW_SQLITE", "")):
        sentence = "DATABASE_URL names SQLite; if one machine is really enough, set DESK_ALLOW_SQLITE=1"
        lines.append(("DATABASE_URL", sentence))
    if base and not is_https and not is_true(given.get("DESK_ALLOW_HTTP", "")):
        sentence = "DESK_BASE_URL must begin with https://; for a closed network, set DESK_ALLOW_HTTP=1"
        lines.append(("DESK_BASE_URL", sentence))
    if is_https and "DESK_TRUSTED_PROXIES" not in given:
        sentence = "is missing: the network of the server in front that speaks TLS (10.0.0.0/8)"
        lines.append(("DESK_TRUSTED_PROXIES", f"DESK_TRUSTED_PROXIES {sentence}"))
    if is_https and given.get("S3_PUBLIC_ENDPOINT_URL", "").startswith("http://"):
        sentence = (
            "must begin with https://, as DESK_BASE_URL does: browsers open nothing else from its pages"
        )
        lines.append(("S3_PUBLIC_ENDPOINT_URL", f"S3_PUBLIC_ENDPOINT_URL {sentence}"))
    if mail and not mail.startswith("smtp"):
        lines.append(
            ("EMAIL_URL", "EMAIL_URL must be smtp+tls://user:password@host:587: other kinds send nothing")
        )
    if not mail and "DESK_MAIL_PROVIDER" not in given:
        sentence = "EMAIL_URL (smtp+tls://user:password@host:587) or DESK_MAIL_PROVIDER is missing"
        lines.append(("EMAIL_URL", sentence))
    return lines


def _beside_another(given: Mapping[str, str], wrong: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return which variables do not fit the others. Those that are wrong by themselves are compared with nothing."""

    def number(name: str, default: int) -> int:
        return int(given.get(name, default)) if name not in wrong else default

    lines = []
    pool, threads = number("DATABASE_POOL_SIZE", DEFAULT_POOL), number("WEB_THREADS", DEFAULT_THREADS)
    if pool < threads and "sqlite" not in given.get("DATABASE_URL", "sqlite"):
        sentence = (
            f"must be at least WEB_THREADS ({threads}): each thread of a web process needs a connection"
        )
        lines.append(("DATABASE_POOL_SIZE", f"DATABASE_POOL_SIZE {sentence}"))
    if number("DESK_MAX_UPLOAD_MB", 25) > number("DESK_MAX_REQUEST_MB", 120):
        sentence = "must be at least DESK_MAX_UPLOAD_MB: a form holds the file"
        lines.append(("DESK_MAX_REQUEST_MB", f"DESK_MAX_REQUEST_MB {sentence}"))
    if number("DESK_MAX_UPLOAD_MB", 25) > number("DESK_MAX_UNSENT_MB", 250):
        sentence = "must be at least DESK_MAX_UPLOAD_MB: a file is unsent until its form is sent"
        lines.append(("DESK_MAX_UNSENT_MB", f"DESK_MAX_UNSENT_MB {sentence}"))
    if "S3_BUCKET" in given:
        keys = ("S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY")
        absent = [name for name in keys if name not in given]
        # On Amazon's own machines the role of the machine may replace both keys.
        if absent and ("S3_ENDPOINT_URL" in given or len(absent) == 1):
            lines += [(name, f"{name} is missing: S3_BUCKET is set") for name in absent]
    elif alone := next((name for name in given if name.startswith("S3_") and name in VARIABLES), None):
        lines.append(("S3_BUCKET", f"S3_BUCKET is missing: {alone} is set"))
    if given.get("DESK_SUGGESTIONS") == "openai-compatible":
        absent = [name for name in ("DESK_ANSWERS_URL", "DESK_ANSWERS_MODEL") if name not in given]
        lines += [(name, f"{name} is missing: DESK_SUGGESTIONS is openai-compatible") for name in absent]
    return lines


def _misspelt(given: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the variables that nothing reads and whose name is nearly that of one. Others are not ours: Kubernetes
    names its services DESK_SERVICE_HOST and the like."""
    unknown = sorted(name for name in given.keys() - VARIABLES.keys() if name.startswith("DESK_"))
    near = {name: get_close_matches(name, VARIABLES, 1, 0.85) for name in unknown}
    return [
        (name, f"{name} is read by nothing: is {meant[0]} meant?") for name, meant in near.items() if meant
    ]


def refuse_wrong(environment: Mapping[str, str] = os.environ) -> None:
    """Raise `WrongVariables` if any variable is wrong or missing."""
    if found := complaints(environment):
        raise WrongVariables(found)


def refuse_unnamed_size(environment: Mapping[str, str] = os.environ) -> None:
    """Raise `WrongVariables` if nothing says whether this is production or a developer's machine. For processes that
    serve or work: a server whose DESK_ENV was forgotten must not run with the defaults of a laptop."""
    named = environment.get("DESK_ENV") or is_true(environment.get("DESK_DEMO", ""))
    if not named and not is_production(environment):
        sentence = "DESK_ENV is missing: production, or development on a developer's machine"
        raise WrongVariables([sentence, *complaints({**environment, "DESK_ENV": "production"})])
