"""Tell whether the database is away from whether a query is wrong. Imports no settings: the logs use it, too."""

from django.db import Error

# SQLSTATE classes of PostgreSQL: the connection failed; the server is out of connections, memory or disk; it is
# starting or stopping.
AWAY_STATES = ("08", "53", "57P")
READ_ONLY = "25006"  # a replica that has not become the main server yet, or a main server that is one now
AWAY_SQLITE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL")


def is_away(error: BaseException | None) -> bool:
    """Whether `error` says that the database cannot be reached or cannot work now, not that a query is wrong."""
    if not isinstance(error, Error):
        return False
    cause = error.__cause__
    if (name := getattr(cause, "sqlite_errorname", None)) is not None:
        return bool(name.startswith(AWAY_SQLITE))
    state = getattr(cause, "sqlstate", "")  # psycopg has None where the server said nothing
    if state == READ_ONLY:
        return True
    if not {"OperationalError", "InterfaceError"} & _kinds(cause):
        return False
    return state is None or state.startswith(AWAY_STATES)


def is_no_connection(error: BaseException) -> bool:
    """Whether the pool had no connection to give within its timeout, or the server has fallen mute."""
    return bool({"PoolTimeout", "NoAnswer"} & _kinds(error.__cause__))


def _kinds(error: BaseException | None) -> set[str]:
    """Return the names of the classes of `error`: SQLite runs without psycopg, so its classes may be missing."""
    return {kind.__name__ for kind in type(error).__mro__}
