import gc
import signal
from threading import Event, Thread
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from notifications.incoming import mailboxes
from notifications.incoming.accounts import Account, accounts

RETRY_SECONDS = (5, 15, 60)


class Command(BaseCommand):
    help = (
        "Receive the mails of DESK_MAILBOXES. Without options it goes on, with a connection to each mailbox on which "
        "the server announces new mails (IDLE). Without this process the workers look every few seconds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="receive what is there, and end")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        found = accounts()
        if not found:
            raise CommandError("DESK_MAILBOXES names no mailbox (imaps://user:password@host/INBOX)")
        gc.freeze()  # what is loaded stays: the garbage collector need not walk it again and again
        if once:
            count = 0
            while received := mailboxes.collect_all():
                count += received
            self.stdout.write(f"received {count} mails")
            return
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_args: stop.set())
        threads = [Thread(target=_watch, args=(account, stop), daemon=True) for account in found]
        for thread in threads:
            thread.start()
        while not stop.wait(1):
            pass
        for thread in threads:
            thread.join(timeout=10)


def _watch(account: Account, stop: Event) -> None:
    """Receive the mails of one mailbox until the process ends, also after its server was away."""
    failures = 0
    while not stop.is_set():
        try:
            mailboxes.watch(account, until=stop.is_set)
            failures = 0
        except mailboxes.AWAY:
            failures += 1
        finally:
            connection.close()
        stop.wait(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
