"""`python -m bench.prepare 10000`: migrate, fill, make sessions, and print the pages to measure as JSON.

It runs as a process of its own for each size, because a process has only one database.
"""

import json
import sys
from dataclasses import asdict

import django


def main() -> None:
    django.setup()
    from django.contrib.staticfiles.management.commands.collectstatic import Command as CollectStatic
    from django.core.management import call_command

    from bench.filling import fill
    from bench.pages import pages, people

    call_command("migrate", verbosity=0)
    call_command(CollectStatic(), interactive=False, verbosity=0)
    fill(int(sys.argv[1]), say=lambda line: print(line, file=sys.stderr, flush=True))
    cast = people()
    sessions = {name: session_of(user) for name, user in cast.items()}
    json.dump({"sessions": sessions, "pages": [asdict(page) for page in pages(cast)]}, sys.stdout)


def session_of(user: "django.contrib.auth.base_user.AbstractBaseUser") -> str:
    """Make a signed-in session without the sign-in page and its rate limits. Returns its key."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key


if __name__ == "__main__":
    main()
