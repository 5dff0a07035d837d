"""Reading mailboxes over IMAP, from a real Dovecot (S0.7, A18)."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Event, Thread
from time import sleep
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from notifications.incoming import mailboxes, receiving
from notifications.models import MailboxMark
from notifications.tests.mails import make_raw
from tickets.enums import MailReason, MailVerdict
from tickets.models import IncomingEmail, Ticket
from tickets.tests.factories import make_process
from tools.servers import CannotServe, Dovecot

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    try:
        with Dovecot() as server:
            yield server
    except CannotServe as missing:
        pytest.skip(str(missing))


@pytest.fixture
def box(server, settings, request):
    """A mailbox of its own, and the function that puts mails into it."""
    make_process("incidencia-tecnica")
    user = f"box{abs(hash(request.node.name)) % 10**8}"
    settings.DESK_MAILBOXES = [server.url_of(user, address="soporte@mesadeayuda.test")]
    server.deliver(user)
    return lambda *mails: server.deliver(user, *mails)


def subjects() -> list[str]:
    return list(IncomingEmail.objects.order_by("pk").values_list("subject", flat=True))


@pytest.mark.demand("S0.7")
def test_new_mails_become_tickets_once(box):
    box(make_raw(subject="Uno"), make_raw(subject="Dos"))

    assert mailboxes.collect_all() == 2
    box(make_raw(subject="Tres"))
    assert mailboxes.collect_all() == 1
    assert mailboxes.collect_all() == 0

    assert subjects() == ["Uno", "Dos", "Tres"]
    assert Ticket.objects.count() == 3


def test_mails_that_somebody_has_read_before_the_first_time_are_left_alone(box, server, settings):
    box(make_raw(subject="Viejo"))
    account = mailboxes.accounts()[0]
    opened = mailboxes.connect(account)
    opened.folder.set("INBOX")
    opened.flag(opened.uids("ALL"), ["\\Seen"], True)
    mailboxes.close(opened)
    box(make_raw(subject="Nuevo"))

    mailboxes.collect_all()

    assert subjects() == ["Nuevo"]


def test_mail_that_was_received_and_not_marked_is_no_second_ticket(box, monkeypatch):
    """The process was killed between the two."""
    box(make_raw(subject="Uno"))
    mailboxes.collect_all()
    MailboxMark.objects.update(last_uid=0)

    mailboxes.collect_all()

    assert Ticket.objects.count() == 1


def test_mail_that_kills_processes_is_held_with_its_headers_alone(box, monkeypatch):
    box(make_raw(subject="Malo"), make_raw(subject="Bueno"))
    receive = receiving.receive

    def dies(raw: bytes, **kwargs: str):
        if b"X-Desk-Cut" not in raw and b"Malo" in raw:
            raise KeyboardInterrupt
        return receive(raw, **kwargs)

    monkeypatch.setattr(receiving, "receive", dies)
    for _try in range(mailboxes.MOST_TRIES):
        with pytest.raises(KeyboardInterrupt):
            mailboxes.collect_all()

    mailboxes.collect_all()

    held, good = IncomingEmail.objects.order_by("pk")
    assert (held.subject, held.verdict, held.reason) == (
        "Malo",
        MailVerdict.QUARANTINE,
        MailReason.UNREADABLE,
    )
    assert good.verdict == MailVerdict.TICKET


def test_mark_says_how_far_the_mailbox_is_read(box, monkeypatch):
    box(make_raw(subject="Uno"), make_raw(subject="Dos"), make_raw(subject="Tres"))
    receive = receiving.receive

    def dies(raw: bytes, **kwargs: str):
        if b"Dos" in raw:
            raise KeyboardInterrupt
        return receive(raw, **kwargs)

    monkeypatch.setattr(receiving, "receive", dies)
    with pytest.raises(KeyboardInterrupt):
        mailboxes.collect_all()
    mark = MailboxMark.objects.get()
    assert (mark.last_uid, mark.received, mark.trying_uid, mark.tries) == (1, 1, 2, 1)

    monkeypatch.setattr(receiving, "receive", receive)
    assert mailboxes.collect_all() == 2
    mark = MailboxMark.objects.get()
    assert (mark.last_uid, mark.received, mark.trying_uid, mark.tries) == (3, 3, 0, 0)


def test_mark_of_the_process_that_has_taken_the_mailbox_stays(box, monkeypatch):
    box(make_raw(subject="Uno"), make_raw(subject="Dos"))
    receive = receiving.receive

    def is_too_slow(raw: bytes, **kwargs: str):
        MailboxMark.objects.update(lease=uuid4(), last_uid=9, received=9, trying_uid=10, tries=2)
        return receive(raw, **kwargs)

    monkeypatch.setattr(receiving, "receive", is_too_slow)
    mailboxes.collect_all()

    mark = MailboxMark.objects.get()
    assert (mark.last_uid, mark.received, mark.trying_uid, mark.tries) == (9, 9, 10, 2)


def test_mail_that_somebody_deletes_meanwhile_is_passed_over(box, monkeypatch):
    box(make_raw(subject="Uno"), make_raw(subject="Dos"), make_raw(subject="Tres"))
    receive, account = receiving.receive, mailboxes.accounts()[0]

    def deletes_the_next(raw: bytes, **kwargs: str):
        monkeypatch.setattr(receiving, "receive", receive)
        opened = mailboxes.connect(account)
        opened.folder.set("INBOX")
        opened.delete("2")
        mailboxes.close(opened)
        return receive(raw, **kwargs)

    monkeypatch.setattr(receiving, "receive", deletes_the_next)

    assert mailboxes.collect_all() == 2
    assert subjects() == ["Uno", "Tres"]
    assert MailboxMark.objects.get().last_uid == 3


def test_mail_of_which_the_server_tells_no_size_is_passed_over(box, monkeypatch):
    """Somebody deleted it after the server had named it."""
    box(make_raw(subject="Uno"), make_raw(subject="Dos"))
    monkeypatch.setattr(mailboxes, "_new_uids", lambda *_args: [1, 2, 77])

    assert mailboxes.collect_all() == 2
    assert subjects() == ["Uno", "Dos"]


def test_sizes_are_asked_for_many_mails_at_once(box, monkeypatch):
    monkeypatch.setattr(mailboxes, "AT_ONCE", 2)
    names = [f"Correo {number}" for number in range(5)]
    box(*(make_raw(subject=name) for name in names))

    mailboxes.collect_all()

    assert subjects() == names


def test_too_large_mail_is_held_and_never_loaded(box, monkeypatch):
    monkeypatch.setattr("notifications.incoming.mime.MAX_BYTES", 10_000)
    box(make_raw("x" * 30_000, subject="Enorme"))

    mailboxes.collect_all()

    mail = IncomingEmail.objects.get()
    assert (mail.subject, mail.reason) == ("Enorme", MailReason.TOO_LARGE)
    assert len(mail.raw) < 10_000


def test_mailbox_that_another_process_reads_is_left_alone(box):
    box(make_raw())
    account = mailboxes.accounts()[0]

    with mailboxes.leased(account):
        assert mailboxes.collect_all() == 0

    assert mailboxes.collect_all() == 1


def test_lease_of_a_dead_process_ends(box):
    box(make_raw())
    account = mailboxes.accounts()[0]
    MailboxMark.objects.create(name=account.name, lease_until=timezone.now() - timedelta(seconds=1))

    assert mailboxes.collect_all() == 1


def test_wrong_password_is_noted_without_the_password(box, settings):
    settings.DESK_MAILBOXES = [settings.DESK_MAILBOXES[0].replace(":secreto@", ":otra-clave@")]

    assert mailboxes.collect_all() == 0

    mark = MailboxMark.objects.get()
    assert "AUTHENTICATIONFAILED" in mark.last_error
    assert "otra-clave" not in mark.last_error
    assert mark.failing_since


def test_server_that_is_away_is_noted_and_tried_again(box, settings, server):
    settings.DESK_MAILBOXES = ["imap://nadie:secreto@127.0.0.1:9/INBOX"]

    assert mailboxes.collect_all() == 0
    assert MailboxMark.objects.get().last_error


@pytest.mark.django_db(transaction=True)
def test_mail_is_received_as_it_comes(box):
    """IDLE: the server announces it."""
    account = mailboxes.accounts()[0]
    stop = Event()

    def run() -> None:
        try:
            mailboxes.watch(account, until=stop.is_set)
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    try:
        _wait(lambda: MailboxMark.objects.filter(read_at__isnull=False).exists())
        box(make_raw(subject="Ahora"))
        _wait(lambda: subjects() == ["Ahora"])
    finally:
        stop.set()
        box(make_raw(subject="Para despertar"))
        thread.join(20)
    assert not thread.is_alive()


def _wait(is_so) -> None:
    for _moment in range(200):
        if is_so():
            return
        sleep(0.1)
    raise AssertionError("it did not happen within 20 seconds")
