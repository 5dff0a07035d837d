"""`python -m bench.prepare 10000`: migrate, fill, make sessions, and print the pages to measure as JSON.

It runs as a process of its own for each size, because a process has only one database. With `--part` it writes some of
the tickets, for `bench.filling`; with `--drain` it sends the mails that wait, to nobody.
"""

import argparse
import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from accounts.models import User


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("size", type=int)
    parser.add_argument("--part", nargs=3, metavar=("FIRST", "LAST", "NOW"))
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--drain", type=float, metavar="SECONDS")
    arguments = parser.parse_args()
    django.setup()
    if arguments.part:
        from bench.filling import write_part

        first, last, now = arguments.part
        write_part(arguments.size, int(first), int(last), datetime.fromisoformat(now))
        return
    if arguments.drain:
        from notifications.outgoing.delivery import drain

        drain(arguments.drain)
        return
    _prepare(arguments.size, anew=arguments.anew)

    from bench.folios import seconds_held
    from bench.pages import cast_of, pages

    cast = cast_of()
    result = {
        "people": {name: session_of(user) for name, user in cast.items()},
        "pages": [asdict(page) for page in pages(cast, arguments.size)],
        "folios": seconds_held(),
    }
    json.dump(result, sys.stdout)


def _prepare(size: int, *, anew: bool) -> None:
    from django.contrib.staticfiles.management.commands.collectstatic import Command as CollectStatic
    from django.core.management import call_command

    from bench.filling import be_filled

    call_command("migrate", verbosity=0)
    call_command(CollectStatic(), interactive=False, verbosity=0)
    be_filled(size, anew=anew, say=lambda line: print(line, file=sys.stderr, flush=True))


def session_of(user: "User") -> str:
    """Make a signed-in session without the sign-in page and its rate limits. Returns its key."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


if __name__ == "__main__":
    main()
