"""Gunicorn's worker with threads, which hangs up on a visitor who sends a request too slowly.

Each request takes a thread from its first byte to its last. Gunicorn's `timeout` does not end a request, so a few
half-sent requests would hold all threads for ever. In production nginx waits for slow visitors instead
(deploy/nginx); this is for the embedded size, and in case a web process can be reached without nginx.
"""

from time import monotonic
from typing import Any

from gunicorn import http
from gunicorn.http.errors import NoMoreData
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import ThreadWorker

PATIENCE_SECONDS = 10.0
"""How long a thread waits for the pieces of one request altogether: head and body."""
BYTES_PER_SECOND = 4096
"""For every so many bytes received, a thread waits one second more. A file may take minutes, a head may not."""
ANSWER_SECONDS = 30.0
"""How long one piece of the answer may take to leave."""


class DeadlineUnreader(SocketUnreader):
    def begin(self) -> None:
        """Start to count for the next request on this connection."""
        self.waited, self.received = 0.0, 0

    def chunk(self, size_hint: int | None = None) -> bytes:
        left = PATIENCE_SECONDS + self.received / BYTES_PER_SECOND - self.waited
        started = monotonic()
        self.sock.settimeout(max(left, 0.001))
        try:
            data: bytes = super().chunk(size_hint)
        except TimeoutError as error:
            raise NoMoreData from error  # to Gunicorn and Django: the visitor has gone
        finally:
            self.waited += monotonic() - started
            self.sock.settimeout(ANSWER_SECONDS)
        self.received += len(data)
        return data


class DeadlineWorker(ThreadWorker):
    def handle(self, conn: Any) -> Any:
        if conn.parser is None:
            conn.parser = http.get_parser(self.cfg, conn.sock, conn.client)
            conn.parser.unreader = DeadlineUnreader(conn.sock)
        conn.parser.unreader.begin()
        return super().handle(conn)
