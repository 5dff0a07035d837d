"""Run all calls of a request in one piece of memory (docs/decisions/0012)."""

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication

ROOM = 16_000
"""Size of the large frame, in words of eight bytes. CPython allocates a piece of 256 KB for it. The frame itself uses
half; the other half, over 120 KB, holds the frames of the request: ten times what our deepest page takes."""


def with_room(application: WSGIApplication) -> WSGIApplication:
    """Return a WSGI application that calls `application` from a frame of `ROOM` words, so that its calls need no
    further piece of memory."""

    def roomy(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        return application(environ, start_response)

    roomy.__code__ = roomy.__code__.replace(co_stacksize=ROOM)
    return roomy
