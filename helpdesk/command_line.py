"""Run the commands of manage.py. Refuse to guess which desk an operator means, and tell in one sentence what they can
mend, such as a database that is away. Any other error keeps its traceback."""

import errno
import os
import pwd
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.db import Error

from helpdesk.variables import WrongVariables, refuse_unnamed_size

FOR_OPERATORS = frozenset(
    {
        "backup",
        "check_files",
        "make_administrator",
        "release_mail",
        "reset_second_factor",
        "restore",
        "retention",
        "send_test_mail",
    }
)
"""Commands about one desk. Without DESK_ENV they would back up, or change, the empty database of a laptop."""
NO_TABLE, NO_COLUMN, NOT_ALLOWED = "42P01", "42703", "42501"  # SQLSTATE of PostgreSQL
INTERRUPTED = 130


def run(argv: list[str]) -> None:
    """Run the command. Raises `SystemExit` with one sentence for what the operator can mend."""
    command = argv[1] if len(argv) > 1 else ""
    try:
        if command in FOR_OPERATORS:
            refuse_unnamed_size()
        if command != "runserver":
            # One thread needs no pool, which hides in log lines why there is no connection.
            settings.DATABASES["default"].get("OPTIONS", {}).pop("pool", None)
        execute_from_command_line(argv)
    except WrongVariables as error:
        raise SystemExit(str(error)) from error
    except KeyboardInterrupt as error:
        sys.stderr.write(f"\n{with_notes('Interrupted.', error)}\n")
        raise SystemExit(INTERRUPTED) from error
    except Exception as error:
        sentence = in_words(error)
        if not sentence or "--traceback" in argv:
            raise
        raise SystemExit(with_notes(sentence, error)) from error


def with_notes(sentence: str, error: BaseException) -> str:
    """Return the sentence, and after it what the code has noted on the error: what is done and what is not."""
    if notes := getattr(error, "__notes__", ()):
        return " ".join([sentence.rstrip(".") + ".", *notes])
    return sentence


def in_words(error: BaseException) -> str:
    """Return what the operator has to look at, or "" for an error that is none of theirs."""
    source = type(error).__module__.partition(".")[0]
    said = " ".join(str(error).split()).rstrip(".?")
    if isinstance(error, Error) or source == "psycopg":
        return _of_database(error, said)
    if source in ("botocore", "boto3", "s3transfer") or type(error).__name__ == "StoreUnavailable":
        if settings.S3_BUCKET or source != "content":
            return f"The store of files does not work: {said}. Look at the variables S3_…."
        return f"The store of files does not work: {said}. Look at DESK_VAR_DIR and its disk."
    if source in ("redis", "kombu"):
        return f"Redis does not answer: {said}. Look at REDIS_URL."
    if isinstance(error, OSError) and error.errno is not None:
        return _of_files(error)
    if isinstance(error, EOFError):
        return "The command asks something and nobody can answer: give it --noinput."
    return ""


def _of_database(error: BaseException, said: str) -> str:
    state = getattr(error.__cause__ or error, "sqlstate", None)
    if state in (NO_TABLE, NO_COLUMN) or said.startswith(("no such table", "no such column")):
        return (
            f"The database is not prepared for this version: {said}. Run manage.py prepare_production first."
        )
    if state == NOT_ALLOWED or "permission denied" in said:
        return f"The user of DATABASE_URL must own the database: {said}."
    if type(error).__name__ in ("OperationalError", "InterfaceError"):
        return f"The database does not answer or cannot work: {said}. Look at DATABASE_URL and at the server."
    return ""


def _of_files(error: OSError) -> str:
    place = f": {error.filename}" if error.filename else ""
    hint = ""
    if error.errno in (errno.EACCES, errno.EPERM):
        hint = f" This command runs as user {_user()}."
    return f"{os.strerror(error.errno or 0)}{place}.{hint}"


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container's user may have no name
        return str(os.geteuid())
