"""A small clamd server for tests."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Clamd:
    """Serves one connection with one INSTREAM command, in a thread. `received` holds the bytes of the file.

    Sends clamd's size limit error if the file is over `limit` bytes, else `answer` if given, else EICAR found or OK.
    """

    def __init__(self, listener: socket.socket, limit: int, answer: bytes | None) -> None:
        self.listener, self.limit, self.answer = listener, limit, answer
        self.received = b""
        self.thread = threading.Thread(target=self.serve)

    def serve(self) -> None:
        with suppress(OSError):
            connection, _peer = self.listener.accept()
            with connection, connection.makefile("rb") as stream:
                assert stream.read(10) == b"zINSTREAM\0"
                while length := struct.unpack("!L", stream.read(4))[0]:
                    self.received += stream.read(length)
                    if len(self.received) > self.limit:
                        connection.sendall(b"INSTREAM size limit exceeded. ERROR\0")
                        return
                found = b"stream: Eicar-Test FOUND\0" if EICAR in self.received else b"stream: OK\0"
                connection.sendall(found if self.answer is None else self.answer)


@contextmanager
def clamd(listener: socket.socket, *, limit: int = 10**7, answer: bytes | None = None) -> Iterator[Clamd]:
    with listener:
        server = Clamd(listener, limit, answer)
        server.thread.start()
        yield server
        server.thread.join(timeout=10)
    assert not server.thread.is_alive()


def on_loopback() -> tuple[socket.socket, str]:
    """Return a listening socket on a free port, and its address for `DESK_CLAMAV`."""
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, "{}:{}".format(*listener.getsockname())
