"""The provider of suggestions that asks a language model behind an OpenAI-compatible address (S3.20, decision 49).

Off unless `DESK_SUGGESTIONS=openai-compatible`. The address is the operator's, never a person's. A call ends within
`DESK_ANSWERS_SECONDS`, whatever the server does; it follows no redirect, reads no more than `LARGEST` bytes, and no
more than `AT_ONCE` run in one process. After a failure nobody asks for `PAUSE` seconds. What a failure was is in the
log; the person who writes sees the articles.
"""

import hashlib
import http.client
import json
import logging
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache

from knowledge.suggestions import Question, Suggestions, budget, grounding

logger = logging.getLogger(__name__)

LARGEST = 200_000
MOST_TOKENS = 500
"""The tokens that an answer may have."""
LETTERS_PER_TOKEN = 3
AT_ONCE = 4
PAUSE = 30
KEPT_SECONDS = 600
PAUSED = "suggestions:paused"
_free = threading.BoundedSemaphore(AT_ONCE)


class NoAnswer(Exception):
    """The model could not be asked, or did not answer as the protocol wants. The message says why."""


class Refused(NoAnswer):
    """The server does not take this one question. Others may be asked meanwhile."""


@dataclass
class _Call:
    """One request to the model. A thread of its own makes it, so that the web request can stop waiting at any time."""

    body: bytes
    deadline: float
    connection: http.client.HTTPConnection | None = None
    answer: bytes = b""
    failure: NoAnswer | None = field(default_factory=lambda: NoAnswer("no answer in time"))
    done: threading.Event = field(default_factory=threading.Event)


def add_answer(question: Question, found: Suggestions) -> Suggestions:
    """Return `found` with an answer from its public articles, if the model gives one that they bear out."""
    sources = grounding.sources_of(question, found)
    if not sources or cache.get(PAUSED):
        return found
    messages = grounding.messages(question, sources)
    written = _written(messages)
    return replace(found, answer=grounding.grounded(written, sources) if written else None)


def _written(messages: list[grounding.Message]) -> str:
    """Return what the model writes; "" if it may not be asked or fails. The same question is asked once."""
    request = {
        "model": settings.ANSWERS_MODEL,
        "messages": messages,
        "max_tokens": MOST_TOKENS,
        "temperature": 0,
    }
    body = json.dumps(request).encode()
    key = f"suggestions:{hashlib.sha256(body).hexdigest()}"
    if (known := cache.get(key)) is not None:
        return str(known)
    if not _free.acquire(blocking=False):
        logger.info("suggestions: too many calls at once")
        return ""
    estimate = sum(len(message["content"]) for message in messages) // LETTERS_PER_TOKEN + MOST_TOKENS
    day = None
    try:
        day = budget.reserve(estimate, cap=settings.ANSWERS_DAILY_TOKENS)
    finally:
        if day is None:
            _free.release()
    if day is None:
        logger.info("suggestions: the day's tokens are used up")
        return ""
    try:
        text, used = _read(_post(body))
    except NoAnswer as problem:
        logger.warning("suggestions: %s", problem)
        budget.record_failure(day)
        if isinstance(problem, Refused):
            cache.set(key, "", KEPT_SECONDS)
        else:
            cache.set(PAUSED, "1", PAUSE)
        return ""
    budget.settle(day, reserved=estimate, used=used)
    cache.set(key, text, KEPT_SECONDS)
    return text


def _post(body: bytes) -> bytes:
    """Return the bytes of the answer. Raises `NoAnswer` at the latest when the time is over.

    The caller has taken one of the `_free` places. The thread gives it back, which may be later.
    """
    seconds = settings.ANSWERS_SECONDS
    call = _Call(body, monotonic() + seconds)
    try:
        threading.Thread(target=_run, args=(call,), daemon=True, name="suggestions").start()
    except RuntimeError as problem:
        _free.release()
        raise NoAnswer(str(problem)) from None
    if not call.done.wait(seconds):
        _hang_up(call)
        raise NoAnswer("no answer in time")
    if call.failure:
        raise call.failure
    return call.answer


def _hang_up(call: _Call) -> None:
    """Close the connection, so that the thread that reads from it ends."""
    if call.connection is not None and (sock := call.connection.sock) is not None:
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def _run(call: _Call) -> None:
    try:
        call.answer = _exchange(call)
        call.failure = None
    except NoAnswer as problem:
        call.failure = problem
    except (OSError, http.client.HTTPException, ValueError, AttributeError) as problem:
        call.failure = NoAnswer(f"{type(problem).__name__}: {problem}"[:200])
    finally:
        if call.connection is not None:
            call.connection.close()
        _free.release()
        call.done.set()


def _exchange(call: _Call) -> bytes:
    address = urlsplit(settings.ANSWERS_URL)
    seconds = max(0.1, call.deadline - monotonic())
    host = address.hostname or ""
    if address.scheme == "https":
        context = ssl.create_default_context()
        call.connection = http.client.HTTPSConnection(host, address.port, timeout=seconds, context=context)
    else:
        call.connection = http.client.HTTPConnection(host, address.port, timeout=seconds)
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
    }
    if settings.ANSWERS_KEY:
        headers["Authorization"] = f"Bearer {settings.ANSWERS_KEY}"
    call.connection.request("POST", f"{address.path.rstrip('/')}/chat/completions", call.body, headers)
    with call.connection.getresponse() as response:
        if response.status in (400, 413, 422):
            raise Refused(f"status {response.status}")
        if response.status != http.HTTPStatus.OK:
            raise NoAnswer(f"status {response.status}")
        read = b""
        while piece := response.read1(65_536):
            read += piece
            if len(read) > LARGEST:
                raise NoAnswer("the answer is too large")
            if monotonic() > call.deadline:
                raise NoAnswer("no answer in time")
    return read


def _read(answer: bytes) -> tuple[str, int | None]:
    """Return the text and the tokens that it took, if the answer tells them."""
    try:
        values: Any = json.loads(answer)
        text = values["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise NoAnswer("the answer is not what the protocol wants") from None
    if not isinstance(text, str):
        raise NoAnswer("the answer has no text")
    usage = values.get("usage")
    used = usage.get("total_tokens") if isinstance(usage, dict) else None
    return text, used if isinstance(used, int) and not isinstance(used, bool) and used >= 0 else None
