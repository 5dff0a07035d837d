"""A TCP server in front of another one that can freeze: it goes on to accept and to receive, and passes nothing on."""

import socket
import threading
from contextlib import suppress
from typing import Self


class FreezingProxy:
    def __init__(self, port: int) -> None:
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.flows = threading.Event()
        self.flows.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.flows.set()
        self.listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                visitor, _address = self.listener.accept()
                threading.Thread(target=self._serve, args=[visitor], daemon=True).start()

    def _serve(self, visitor: socket.socket) -> None:
        self.flows.wait()
        with visitor, suppress(OSError), socket.create_connection(("127.0.0.1", self.target)) as server:
            threading.Thread(target=self._pass_on, args=[visitor, server], daemon=True).start()
            self._pass_on(server, visitor)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self.flows.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
