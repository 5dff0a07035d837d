"""PostgreSQL's connections, which notice a server that has fallen mute: it takes what is sent and never answers, as a
frozen machine, a full disk of it or a stuck proxy does. TCP sees nothing wrong there, so a thread would wait for ever,
and with it soon every thread of the process."""

from typing import Any

import psycopg
from psycopg.errors import _WaitTimeout
from psycopg.waiting import Ready

ANSWER_SECONDS = 4.0
"""After so long without an answer, the server is asked in another way whether it lives. A slow query may go on."""


class NoAnswer(psycopg.OperationalError):
    """The server has fallen mute. `database_errors` knows it by this name."""


class PatientConnection(psycopg.Connection[Any]):
    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer as long as the server lives. Raises `NoAnswer`, and closes the connection, otherwise."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        waited_for = gen
        while True:
            try:
                return super().wait(waited_for, interval, ANSWER_SECONDS)
            except _WaitTimeout as error:
                if not self._server_lives():
                    self.pgconn.finish()
                    raise NoAnswer("the server takes what is sent and does not answer") from error
                waited_for = _resumed(gen)

    def _server_lives(self) -> bool:
        """Whether the server says anything to a further connection within `connect_timeout`, were it only that it has
        no room for one."""
        try:
            psycopg.connect(self.info.dsn, password=self.info.password).close()
        except psycopg.OperationalError as error:
            return "FATAL" in str(error)
        return True


def _resumed(gen: Any) -> Any:
    """Go on with a generator of psycopg that has begun. It wants to hear whether something is ready, and the first
    thing that a waiting function sends is None."""
    sent: Any = Ready.NONE
    try:
        while True:
            sent = yield gen.send(sent)
    except StopIteration as end:
        return end.value
