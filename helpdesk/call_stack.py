"""Room for all the calls of a request in one piece of memory (docs/decisions/0012)."""

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication

ROOM = 16_000
"""Words of eight bytes. CPython gives a call that asks for them a piece of 256 KB; what it leaves of that is for the
calls it makes in turn, about 120 KB: ten times what our deepest page takes."""


def with_room(application: WSGIApplication) -> WSGIApplication:
    """`application`, called from a frame so large that its own calls need no further piece of memory."""

    def roomy(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        return application(environ, start_response)

    roomy.__code__ = roomy.__code__.replace(co_stacksize=ROOM)
    return roomy
