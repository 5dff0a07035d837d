"""Receive mails over IMAP from a real Dovecot while the receiving process is killed again and again, and count.

    python -m bench.inbound 10000 100      # mails, and how often the process is killed with SIGKILL

Uses a PostgreSQL and a Dovecot of its own. Prints how many mails were lost, how many became more than one message, and
how many the last process received in a second of its processor time. Ends with 1 if a mail was lost or counted twice.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from email.message import EmailMessage
from pathlib import Path

from tools.servers import Dovecot, Postgres, Redis

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = "soporte@mesadeayuda.test"
SENDERS = 400
"""Each sends fewer mails than a person may in an hour."""
SHORTEST, LONGEST = 0.2, 1.5
STARTING = 2.0
"""Seconds that a process lives before it is killed, beyond those that it needs to start."""
PREPARE = """
import django; django.setup()
from tickets.definitions.loading import library
from tickets.workflow.publishing import publish
from accounts.models import Department, Membership, User
publish(library()["incidencia-tecnica"])
for number in range(5):
    user = User.objects.create_user(f"agente{number}@mesa.test", role="agent", name=f"Agente {number}")
    for department in Department.objects.all():
        Membership.objects.create(user=user, department=department)
"""
FREE = """
import django; django.setup()
from notifications.models import MailboxMark
MailboxMark.objects.update(lease=None, lease_until=None)
"""
RECEIVE = """
import django, io, time; django.setup()
from django.core.management import call_command
from notifications.incoming import routing
routing.MOST_MAILS_OF_A_SENDER = 10**9
told, began = io.StringIO(), time.process_time()
call_command("receive_mail", once=True, stdout=told)
print(told.getvalue().split()[1], time.process_time() - began)  # «received 12 mails»
"""
COUNT = """
import django, json; django.setup()
from collections import Counter
from tickets.models import IncomingEmail, Message, Ticket
told = Counter(IncomingEmail.objects.values_list("subject", flat=True))
filed = Counter(Ticket.objects.values_list("title", flat=True))
bodies = Counter(Message.objects.values_list("body", flat=True))
kinds = Counter(IncomingEmail.objects.values_list("verdict", flat=True))
print(json.dumps({"told": told, "filed": filed, "bodies": bodies, "kinds": kinds}))
"""


def mail_of(number: int) -> bytes:
    """Return the mail with this number: as a person writes one, with the mail that they answer below."""
    mail = EmailMessage()
    mail["From"] = f"Persona {number % SENDERS} <persona{number % SENDERS}@cliente.test>"
    mail["To"], mail["Subject"] = ADDRESS, f"Correo {number}"
    mail["Message-ID"] = f"<{number}@cliente.test>"
    text = f"Mensaje {number}. La barrera no abre desde ayer y nadie contesta el teléfono."
    mail.set_content(f"{text}\n\nEl lun, 2 nov 2026 a las 9:00, Otra <o@x.test> escribió:\n> hola\n> adiós\n")
    mail.add_alternative(
        f"<p>{text}</p><div class='gmail_quote'><blockquote>hola</blockquote></div>", subtype="html"
    )
    return mail.as_bytes()


class Desk:
    """The processes of one run, on their own servers."""

    def __init__(self, database: str, redis: str, mailbox: str, folder: str) -> None:
        self.env = {
            name: value for name, value in os.environ.items() if not name.startswith(("DESK_", "REDIS"))
        } | {
            "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
            "DESK_ENV": "production",
            "SECRET_KEY": "bench" * 12,
            "REDIS_URL": redis,
            "DESK_BASE_URL": "https://desk.test",
            "DESK_TRUSTED_PROXIES": "127.0.0.1/32",
            "EMAIL_URL": "smtp+tls://desk:secret@127.0.0.1:2525",
            "DESK_VAR_DIR": folder,
            "DATABASE_URL": database,
            "DESK_MAILBOXES": mailbox,
            "DESK_SUPPORT_EMAIL": ADDRESS,
            "LOG_LEVEL": "ERROR",
            "PYTHONPATH": str(ROOT),
        }

    def run(self, code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=self.env,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout

    def migrate(self) -> None:
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=self.env, check=True)
        self.run(PREPARE)

    def receive_until_killed(self, *, after: float) -> bool:
        """Receive what is there, and kill the process that many seconds after it began to receive. Returns whether it
        was killed: it may have ended by itself before."""
        self.run(FREE)  # as if the lease of the process before had run out
        process = subprocess.Popen(
            [sys.executable, "-c", RECEIVE], cwd=ROOT, env=self.env, stdout=subprocess.DEVNULL
        )
        try:
            process.wait(after + STARTING)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True
        if process.returncode:
            raise RuntimeError(f"the receiving process ended with {process.returncode}")
        return False

    def receive(self) -> tuple[int, float]:
        """Receive what is there. Returns how many mails that were, and how many seconds of processor time they took."""
        self.run(FREE)
        count, seconds = self.run(RECEIVE).split()
        return int(count), float(seconds)


def run(mails: int, kills: int) -> dict[str, float]:
    """Return how many mails were `lost` and `twice`, and how often the process was `killed`. The last process is left
    alone: how many mails it received, and how many `per second` of its processor time."""
    chance = random.Random(1)
    with ExitStack() as stack:
        postgres, redis = stack.enter_context(Postgres()), stack.enter_context(Redis())
        dovecot = stack.enter_context(Dovecot())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        desk = Desk(postgres.url, redis.url, dovecot.url_of("bench", address=ADDRESS), folder)
        desk.migrate()
        dovecot.deliver("bench", *(mail_of(number) for number in range(mails)))
        killed = 0
        while killed < kills and desk.receive_until_killed(after=chance.uniform(SHORTEST, LONGEST)):
            killed += 1
            if killed % 10 == 0:
                dovecot.deliver("bench", mail_of(chance.randrange(mails)))  # the same mail once more
        left, seconds = desk.receive()
        found = json.loads(desk.run(COUNT))
    bodies = {text.partition(".")[0]: count for text, count in found["bodies"].items()}
    wanted = [f"Mensaje {number}" for number in range(mails)]
    lost = sum(not bodies.get(text) for text in wanted)
    twice = sum(bodies.get(text, 0) > 1 for text in wanted)
    return {
        "mails": mails, "lost": lost, "twice": twice, "killed": killed,
        "tickets": sum(found["filed"].values()), "left alone": left, "per second": round(left / seconds, 1),
        **{f"verdict {kind}": count for kind, count in found["kinds"].items()},
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("mails", type=int, nargs="?", default=10_000)
    parser.add_argument("kills", type=int, nargs="?", default=100)
    options = parser.parse_args()
    result = run(options.mails, options.kills)
    for name, value in result.items():
        print(f"{name:20} {value}")
    return int(bool(result["lost"] or result["twice"]))


if __name__ == "__main__":
    sys.exit(main())
