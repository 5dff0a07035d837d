"""Two questions from outside, answered before anything else looks at the request.

`/healthz`: does this process answer? For whoever restarts processes and balances load.
`/readyz`: does the whole desk work? Database, broker, mail and scheduler, each in its own bounded time, because
a server that hangs is as broken as one that refuses. For deployments and alarms, not for a load balancer: late
mail is no reason to take the pages away too.
"""

import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import connection, connections
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from helpdesk.celery import app
from helpdesk.models import Heartbeat
from notifications.models import OutgoingEmail

logger = logging.getLogger(__name__)

Details = dict[str, Any]
CHECK_SECONDS = 2.0


class NotReady(Exception):
    """Something does not work. The text is shown to whoever asks: no addresses, no secrets."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


def database() -> Details:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return {}


def broker() -> Details:
    with app.connection_for_write() as link:
        link.ensure_connection(max_retries=1, interval_start=0, timeout=CHECK_SECONDS)
    return {}


def mail() -> Details:
    """The age of the oldest mail that should have left by now."""
    oldest = OutgoingEmail.objects.oldest_waiting()
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    if age > settings.DESK_LATE_MAIL_SECONDS:
        raise NotReady("the oldest mail waits too long", oldest_seconds=round(age))
    return {"oldest_seconds": round(age)}


def scheduler() -> Details:
    """The age of the last heartbeat: a task that the scheduler sent and a worker ran."""
    last = Heartbeat.objects.aggregate(last=Max("at"))["last"]
    if last is None:
        raise NotReady("no heartbeat yet")
    age = (timezone.now() - last).total_seconds()
    if age > settings.DESK_LATE_HEARTBEAT_SECONDS:
        raise NotReady("the last heartbeat is old", age_seconds=round(age))
    return {"age_seconds": round(age)}


class Asking(threading.Thread):
    """One question on its way, in a thread of its own, so that whoever asked can stop waiting."""

    def __init__(self, question: Callable[[], Details]) -> None:
        super().__init__(daemon=True, name=f"readyz-{question.__name__}")
        self.question = question
        self.answer: Details = {"ok": False, "problem": f"no answer within {CHECK_SECONDS:g} s"}

    def run(self) -> None:
        started = monotonic()
        try:
            answer: Details = {"ok": True, **self.question()}
        except NotReady as problem:
            answer = {"ok": False, "problem": str(problem), **problem.details}
        except Exception:
            logger.warning("readyz: %s does not work", self.question.__name__, exc_info=True)
            answer = {"ok": False, "problem": "does not answer"}
        finally:
            connections.close_all()
        self.answer = answer | {"ms": round((monotonic() - started) * 1000, 1)}


outstanding: dict[str, Asking] = {}
outstanding_lock = threading.Lock()


def ask(question: Callable[[], Details]) -> Asking:
    """While an answer is outstanding nobody asks again: a server that hangs costs one thread, not one per request."""
    with outstanding_lock:
        asking = outstanding.get(question.__name__)
        if asking is None or not asking.is_alive():
            asking = outstanding[question.__name__] = Asking(question)
            asking.start()
        return asking


def readiness() -> tuple[bool, dict[str, Details]]:
    asked = [ask(question) for question in (database, broker, mail, scheduler)]
    deadline = monotonic() + CHECK_SECONDS
    for asking in asked:
        asking.join(max(0.0, deadline - monotonic()))
    answers = {asking.question.__name__: asking.answer for asking in asked}
    return all(answer["ok"] for answer in answers.values()), answers


def probes(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A middleware rather than two addresses: a probe comes from inside, by number, without TLS and without a host
    that ALLOWED_HOSTS would know."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return JsonResponse({"ok": True})
        if request.path == "/readyz":
            ready, checks = readiness()
            return JsonResponse({"ready": ready, "checks": checks}, status=200 if ready else 503)
        return get_response(request)

    return middleware
