"""Health checks, answered by a middleware that runs before all others except `request_id`.

`/healthz`: does this process answer? For process managers and load balancers.
`/metrics`: figures for Prometheus (`helpdesk.watching`).
`/readyz`: does the whole product work? Checks database, migrations, broker, mail, scheduler and store. A check without
an answer after `CHECK_SECONDS` has failed. For deployments and alarms, not for a load balancer: late mail is no reason
to take the pages offline. Everybody reads whether it is ready; the checks and their ages only those whom the operator
has named.
"""

import ipaddress
import logging
import os
import tempfile
import threading
from collections.abc import Callable
from contextvars import copy_context
from time import monotonic
from typing import Any, Protocol

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from content.files.streams import MB
from content.stores import StoreUnavailable
from helpdesk.celery import app
from helpdesk.models import Heartbeat
from notifications.incoming.accounts import mailbox_names
from notifications.models import MailboxMark, OutgoingEmail
from notifications.outgoing import holding
from web.client_ip import UNKNOWN, client_ip

from .watching.exposition import exposition

logger = logging.getLogger(__name__)

Details = dict[str, Any]
CHECK_SECONDS = 2.0
STORE_SECONDS, STORE_AGAIN_SECONDS = 30.0, 5.0


class Question(Protocol):
    __name__: str

    def __call__(self) -> Details: ...


class NotReady(Exception):
    """A check failed. The response shows the message, so it must contain no addresses or secrets."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


def database() -> Details:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return {}


class Migrated:
    """The check of migrations: code whose tables or columns are missing must not look ready. Once all are applied, it
    asks nothing more: migrations are not taken back under a running process."""

    __name__ = "migrations"

    def __init__(self) -> None:
        self.is_known = False
        self.shipped: set[tuple[str, str]] = set()

    def __call__(self) -> Details:
        """Raises `NotReady` with the number of migrations that the code has and the database has not."""
        if not self.is_known:
            self.shipped = self.shipped or set(
                MigrationLoader(None, ignore_no_migrations=True).disk_migrations
            )
            missing = self.shipped - set(MigrationRecorder(connection).applied_migrations())
            if missing:
                raise NotReady("migrations are missing: run prepare_production", missing=len(missing))
            self.is_known = True
        return {}


migrations = Migrated()


def broker() -> Details:
    with app.connection_for_write() as link:
        link.ensure_connection(max_retries=1, interval_start=0, timeout=CHECK_SECONDS)
    return {}


def mail() -> Details:
    """Return the age of the oldest overdue mail. Raises `NotReady` if it is above DESK_LATE_MAIL_SECONDS, or if all
    mail is held since a restore."""
    if held := holding.held_mail():
        raise NotReady("mail is held since the restore: manage.py release_mail", waiting=held.waiting)
    oldest = OutgoingEmail.objects.oldest_waiting()
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    if age > settings.DESK_LATE_MAIL_SECONDS:
        raise NotReady("the oldest mail waits too long", oldest_seconds=round(age))
    return {"oldest_seconds": round(age)}


def scheduler() -> Details:
    """Return the age of the last heartbeat, a task that the scheduler sends and a worker runs. Raises `NotReady` if
    there is none or it is older than DESK_LATE_HEARTBEAT_SECONDS."""
    last = Heartbeat.objects.filter(name="scheduler").aggregate(last=Max("at"))["last"]
    if last is None:
        raise NotReady("no heartbeat yet")
    age = (timezone.now() - last).total_seconds()
    if age > settings.DESK_LATE_HEARTBEAT_SECONDS:
        raise NotReady("the last heartbeat is old", age_seconds=round(age))
    return {"age_seconds": round(age)}


def mailboxes() -> Details:
    """Return how long ago the mailbox that waits longest was read. Raises `NotReady` if one has not been read for
    DESK_LATE_MAIL_SECONDS, or never."""
    read = dict(MailboxMark.objects.values_list("name", "read_at"))
    last = [read.get(name) for name in mailbox_names()]
    if None in last:
        raise NotReady("a mailbox has never been read")
    age = max(((timezone.now() - at).total_seconds() for at in last if at), default=0.0)
    if age > settings.DESK_LATE_MAIL_SECONDS:
        raise NotReady("a mailbox cannot be read", read_seconds_ago=round(age))
    return {"read_seconds_ago": round(age)}


class StoreCheck:
    """The check of the store of uploaded files: writes a little and deletes it. Strangers may ask /readyz as often as
    they like, so each process asks the store once in `STORE_SECONDS` and repeats the answer until then; a refusal only
    for `STORE_AGAIN_SECONDS`, so that a store that works again is soon seen."""

    __name__ = "store"

    def __init__(self) -> None:
        self.until = 0.0
        self.details: Details = {}
        self.problem: NotReady | None = None

    def __call__(self) -> Details:
        """Return the free megabytes, as far as they are known. Raises `NotReady` if nothing can be stored, or not one
        file of DESK_MAX_UPLOAD_MB."""
        if monotonic() >= self.until:
            self.problem = None
            try:
                self.details = self.ask()
            except NotReady as problem:
                self.problem = problem
            self.until = monotonic() + (STORE_AGAIN_SECONDS if self.problem else STORE_SECONDS)
        if self.problem:  # a new error: the same one would collect a traceback from each request
            raise NotReady(str(self.problem), **self.problem.details)
        return self.details

    @staticmethod
    def ask() -> Details:
        try:
            found: Details = default_storage.probe()  # type: ignore[attr-defined]  # a `content.stores.Store`
        except StoreUnavailable as error:
            logger.warning("readyz: store: %s", error)
            raise NotReady("no file can be stored") from error
        var = next(folder for folder in (settings.VAR_DIR, *settings.VAR_DIR.parents) if folder.is_dir())
        uploads, ours = os.statvfs(tempfile.gettempdir()), os.statvfs(var)
        free = {"temporary_free_mb": uploads.f_bavail * uploads.f_frsize // MB, **found}
        if (uploads.f_flag | ours.f_flag) & os.ST_RDONLY:  # pictures need both
            raise NotReady("the disk for temporary files or of DESK_VAR_DIR is read-only", **free)
        if min(free.values()) < settings.DESK_MAX_UPLOAD_MB:
            raise NotReady("a disk has no room for one more file", **free)
        return free


store = StoreCheck()


class Check(threading.Thread):
    """One check in a thread of its own, so that the request can stop waiting for it."""

    def __init__(self, question: Question) -> None:
        super().__init__(daemon=True, name=f"readyz-{question.__name__}")
        self.question = question
        self.context = copy_context()  # its log lines have the id of the request
        self.answer: Details = {"ok": False, "problem": f"no answer within {CHECK_SECONDS:g} s"}

    def run(self) -> None:
        self.context.run(self._ask)

    def _ask(self) -> None:
        started = monotonic()
        try:
            answer: Details = {"ok": True, **self.question()}
        except NotReady as problem:
            logger.warning("readyz: %s: %s", self.question.__name__, problem)
            answer = {"ok": False, "problem": str(problem), **problem.details}
        except Exception:
            logger.warning("readyz: %s does not work", self.question.__name__, exc_info=True)
            answer = {"ok": False, "problem": "does not answer"}
        finally:
            connections.close_all()
        self.answer = answer | {"ms": round((monotonic() - started) * 1000, 1)}


outstanding: dict[str, Check] = {}
outstanding_lock = threading.Lock()


def ask(question: Question) -> Check:
    """Return the running check of `question`, or start one. A server that hangs thus costs one thread, not one per
    request."""
    with outstanding_lock:
        asking = outstanding.get(question.__name__)
        if asking is None or not asking.is_alive():
            asking = outstanding[question.__name__] = Check(question)
            asking.start()
        return asking


def readiness() -> tuple[bool, dict[str, Details]]:
    """Run all checks at once. Returns whether all passed, and the details of each."""
    questions: tuple[Question, ...] = (database, migrations, broker, mail, scheduler, store)
    if settings.DESK_MAILBOXES:
        questions = (*questions, mailboxes)
    asked = [ask(question) for question in questions]
    deadline = monotonic() + CHECK_SECONDS
    for asking in asked:
        asking.join(max(0.0, deadline - monotonic()))
    answers = {asking.question.__name__: asking.answer for asking in asked}
    return all(answer["ok"] for answer in answers.values()), answers


def may_read_details(request: HttpRequest) -> bool:
    """Whether the operator has named the visitor's network (DESK_READYZ_NETWORKS) or given them DESK_READYZ_TOKEN."""
    token = settings.DESK_READYZ_TOKEN
    if token and constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {token}"):
        return True
    visitor = client_ip(request)
    if visitor == UNKNOWN:
        return False
    address = ipaddress.ip_address(visitor)
    return any(address in ipaddress.ip_network(network) for network in settings.DESK_READYZ_NETWORKS)


def probes(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer /healthz, /readyz and, to those whom the operator has named, /metrics. For strangers /metrics does not
    exist, and reads nothing from the database. This is a middleware, not three views, because probes come from the
    internal network by IP address, without TLS and with a host that is not in ALLOWED_HOSTS."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return JsonResponse({"ok": True})
        if request.path == "/readyz":
            ready, checks = readiness()
            details = {"checks": checks} if may_read_details(request) else {}
            return JsonResponse({"ready": ready, **details}, status=200 if ready else 503)
        if request.path == "/metrics" and may_read_details(request):
            body, content_type = exposition()
            return HttpResponse(body, content_type=content_type)
        return get_response(request)

    return middleware
