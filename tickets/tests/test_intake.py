"""Filing: who may file what for whom, and the folio that the ticket gets."""

import threading

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.models import Department, User
from accounts.tests.factories import make_agent, make_supervisor, make_user
from content.errors import InvalidData
from tickets.actors import SYSTEM
from tickets.enums import CaseKind, Channel
from tickets.exceptions import NotAllowed
from tickets.models import FolioCounter, Message, Process, Ticket, TicketEvent
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow.intake import Requester, file_ticket

S0, S2, S4 = "incidencia-tecnica", "soporte-con-aprobacion", "reporte-de-incidentes"
GUEST = Requester(email="Ana@Example.com", name="Ana")


def report(process, **changes):
    defaults = {
        "actor": None,
        "requester": GUEST,
        "category": process.categories.first(),
        "title": "No puedo pagar",
        "description": "Sale «Error 500».",
    }
    return file_ticket(process, **{**defaults, **changes})


# --- What is filed ----------------------------------------------------------------------------------------------


@pytest.mark.demand("S0.14", "S1.5")
def test_filing_creates_folio_message_clocks_and_event(db):
    process, customer = make_process(S0), make_user(language="en")
    ticket = report(process, actor=customer, requester=None, phone="+58 212 555 0101", notify=False)
    assert ticket.folio == f"{settings.DESK_FOLIO_PREFIX}-{settings.DESK_FOLIO_START + 1}"
    assert (ticket.requester, ticket.requester_email, ticket.requester_language) == (
        customer,
        customer.email,
        "en",
    )
    assert (ticket.requester_phone, ticket.notify_requester) == ("+58 212 555 0101", False)
    message = ticket.messages.get()
    assert (message.kind, message.body, message.from_requester) == ("report", "Sale «Error 500».", True)
    event = ticket.events.get()
    assert (event.kind, event.is_public, event.message, ticket.version, ticket.public_version) == (
        "filed", True, message, 1, 1,
    )  # fmt: skip
    assert {clock.kind for clock in ticket.clocks.all()} == {"first_response", "progress", "resolution"}


def test_guest_with_unknown_language_gets_the_default(db, settings):
    process = make_process(S0)
    settings.DESK_DEFAULT_LANGUAGE = "en"

    with translation.override("fr"):
        assert report(process).requester_language == "en"
    with translation.override("es"):
        assert report(process).requester_language == "es"
    assert User(email="ana@example.com").language == "en"


@pytest.mark.demand("S0.16", "S1.9", "S2.39")
def test_department_comes_from_category_or_process(db):
    process = make_process(S2)
    assert (
        report(process, actor=make_user(), category=process.categories.get(key="notas")).department.key
        == "academico"
    )
    process.categories.filter(key="plataforma").update(department=None)
    assert report(process, actor=make_user()).department.key == "soporte-tecnico"
    assert make_ticket(
        make_process(S4), fields={"tipo": "tarea", "sistema": "x", "prioridad": "low"}
    ).department.key == ("desarrollo")
    Department.objects.filter(key="academico").update(is_active=False)
    notes = process.categories.get(key="notas")
    assert report(process, actor=make_user(), category=notes).department.key == "soporte-tecnico"
    Department.objects.filter(key="soporte-tecnico").update(is_active=False)
    assert (
        report(process, actor=make_user(), category=process.categories.get(key="plataforma")).department
        is None
    )


def test_category_sets_case_kind_and_severity(db):
    process = make_process(S2)
    ticket = report(process, actor=make_user(), category=process.categories.get(key="constancias"))
    assert (ticket.case_kind, ticket.severity) == (CaseKind.PROCEDURE, "low")


# --- For whom ---------------------------------------------------------------------------------------------------


@pytest.mark.demand("S3.9", "S0.12")
def test_guest_files_with_an_address(db):
    ticket = report(make_process(S0), phone="0212 555 0101")
    assert (ticket.requester, ticket.requester_email, ticket.requester_name) == (
        None,
        "ana@example.com",
        "Ana",
    )
    assert (ticket.events.get().actor, ticket.events.get().actor_name) == (None, "Ana")


@pytest.mark.demand("S2.1")
def test_login_process_refuses_guests_and_uses_account_address(db):
    process = make_process(S2)
    with pytest.raises(NotAllowed, match="entrar con tu cuenta"):
        report(process)
    assert not Ticket.objects.exists()
    customer = make_user()
    ticket = report(process, actor=customer, requester=Requester(email="otro@example.com", name="Otro"))
    assert (ticket.requester, ticket.requester_email) == (customer, customer.email)


def test_customer_cannot_file_for_somebody_else(db):
    victim = make_user()
    ticket = report(make_process(S0), actor=make_user(), requester=Requester(user=victim, email=victim.email))
    assert ticket.requester != victim


@pytest.mark.demand("S2.27")
def test_staff_file_for_customers_guests_or_themselves(db):
    process, agent, customer = make_process(S2), make_agent(), make_user()
    for_customer = report(process, actor=agent, requester=Requester(user=customer), channel=Channel.PHONE)
    assert (for_customer.requester, for_customer.channel) == (customer, "phone")
    assert for_customer.events.get().actor == agent
    for_guest = report(process, actor=agent, requester=Requester(email="sin@example.com"))
    assert (for_guest.requester, for_guest.requester_name) == (None, "sin")
    assert report(process, actor=agent, requester=None).requester == agent


def test_system_cannot_file(db):
    with pytest.raises(NotAllowed):
        report(make_process(S0), actor=SYSTEM)


def test_process_out_of_use_refuses_filing(db):
    process = make_process(S0)
    Process.objects.update(is_active=False)
    process.refresh_from_db()
    with pytest.raises(NotAllowed):
        report(process)


# --- The same rule on every channel -----------------------------------------------------------------------------


@pytest.mark.parametrize("channel", sorted(set(Channel) - {Channel.EMAIL}))
def test_every_channel_with_a_form_checks_it(db, channel):
    process = make_process(S4)
    with pytest.raises(InvalidData) as refused:
        report(
            process, actor=make_user(), channel=channel, title="", fields={"tipo": "error", "prioridad": "x"}
        )
    assert refused.value.errors.keys() == {"title", "sistema", "pasos", "prioridad"}
    assert not Ticket.objects.exists()


@pytest.mark.demand("S0.7")
def test_mail_answers_no_questions_but_needs_a_title(db):
    process = make_process(S4)

    with pytest.raises(InvalidData) as refused:
        report(process, actor=make_user(), channel=Channel.EMAIL, title="")
    assert refused.value.errors.keys() == {"title"}
    assert report(process, actor=make_user(), channel=Channel.EMAIL).fields == {}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"requester": Requester(email="ana")}, "email"),
        ({"requester": Requester(email="")}, "email"),
        ({"requester": Requester(email="a@b.c\nBcc: x@y.z")}, "email"),
        ({"requester": Requester(email="x" * 250 + "@example.com")}, "email"),
        ({"requester": Requester(email="ana@example.com", name="x" * 200)}, "name"),
        ({"title": "x" * 161}, "title"),
        ({"title": "\u200b\u202e \n"}, "title"),
        ({"description": "x" * 1_000_000}, "description"),
        ({"description": "\x00\x01"}, "description"),
        ({"phone": "llámame"}, "phone"),
        ({"category": None}, "category"),
    ],
)  # fmt: skip
def test_wrong_input_is_reported_and_writes_nothing(db, changes, field):
    process = make_process(S0)
    with pytest.raises(InvalidData) as refused:
        report(process, **changes)
    assert refused.value.errors.keys() == {field}
    assert refused.value.errors[field][0].endswith((".", "…"))
    assert not Ticket.objects.exists()
    assert not Message.objects.exists()


def test_all_wrong_fields_are_reported_together(db):
    with pytest.raises(InvalidData) as refused:
        report(make_process(S0), requester=Requester(), title="", description="", category=None, phone="?")
    assert refused.value.errors.keys() == {"email", "title", "description", "category", "phone"}


def test_foreign_or_unused_category_is_refused(db):
    """B18: a forged id must not reach a category that the form does not offer."""
    process, other = make_process(S0), make_process(S2)
    process.categories.filter(key="problema-con-la-app").update(is_active=False)
    for category in (other.categories.first(), process.categories.get(key="problema-con-la-app")):
        with pytest.raises(InvalidData) as refused:
            report(process, category=category)
        assert refused.value.errors.keys() == {"category"}


def test_hostile_text_is_cleaned(db):
    ticket = report(
        make_process(S0),
        requester=Requester(email="ana@example.com", name="Ana\r\nBcc: x@y.z\u202e"),
        title="Uno\r\nSubject: dos\x00 \u202egpj.exe 😀 ñ",
        description="Línea 1\r\nLínea 2\x00\x07 \u202e <script>alert(1)</script> 👩‍🚀",
    )
    assert ticket.title == "Uno Subject: dos gpj.exe 😀 ñ"
    assert ticket.requester_name == "Ana Bcc: x@y.z"
    assert ticket.messages.get().body == "Línea 1\nLínea 2  <script>alert(1)</script> 👩‍🚀"
    assert "<script" not in ticket.messages.get().html


# --- Repeated keys ----------------------------------------------------------------------------------------------


def test_double_click_files_one_ticket(db):
    process, customer = make_process(S2), make_user()
    first = report(process, actor=customer, key="k")
    again = report(process, actor=customer, key="k", title="Otro título")
    assert (again, Ticket.objects.count(), TicketEvent.objects.count()) == (first, 1, 1)


def test_guests_key_is_refused_to_others(db):
    process = make_process(S0)
    first = report(process, key="k")
    assert report(process, key="k") == first
    for stranger in ({"requester": Requester(email="eva@example.com", name="Eva")}, {"actor": make_user()}):
        with pytest.raises(NotAllowed):
            report(process, key="k", **stranger)
    assert Ticket.objects.count() == 1


# --- Folios -----------------------------------------------------------------------------------------------------


@pytest.mark.demand("S0.14")
def test_failed_filing_leaves_no_gap_in_folios(db):
    process = make_process(S0)
    first = report(process)
    with transaction.atomic():
        lost = report(process)
        transaction.set_rollback(True)
    second = report(process)
    numbers = [int(ticket.folio.partition("-")[2]) for ticket in (first, second)]
    assert numbers[1] == numbers[0] + 1
    assert second.folio == lost.folio


def test_each_folio_prefix_has_its_own_counter(db):
    process = make_process(S0)
    with override_settings(DESK_FOLIO_PREFIX="HD", DESK_FOLIO_START=0):
        assert [report(process).folio for _each in range(2)] == ["HD-1", "HD-2"]
    assert report(process).folio == f"MA-{settings.DESK_FOLIO_START + 1}"
    assert FolioCounter.objects.count() == 2


@pytest.mark.demand("S0.14")
@pytest.mark.django_db(transaction=True)
def test_simultaneous_filings_get_unique_gapless_folios():
    """On PostgreSQL the filings wait for the lock on the counter's row; SQLite lets one writer in at a time. Some are
    rolled back on purpose after they got a folio."""
    process = make_process(S0)
    together, folios = threading.Barrier(6), []

    def file(number):
        together.wait()
        for turn in range(4):
            with transaction.atomic():
                ticket = report(process, key=f"{number}-{turn}")
                if turn == 2:
                    transaction.set_rollback(True)
                else:
                    folios.append(ticket.folio)
        connection.close()

    threads = [threading.Thread(target=file, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = sorted(int(folio.partition("-")[2]) for folio in folios)
    start = settings.DESK_FOLIO_START
    assert numbers == list(range(start + 1, start + 1 + 18))


@pytest.mark.demand("S0.14")
@pytest.mark.django_db(transaction=True)
def test_simultaneous_clicks_file_one_ticket():
    process, customer = make_process(S0), make_user()
    together, folios = threading.Barrier(4), []

    def click():
        together.wait()
        folios.append(report(process, actor=customer, key="k").folio)
        connection.close()

    threads = [threading.Thread(target=click) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert folios == [Ticket.objects.get().folio] * 4
    assert TicketEvent.objects.count() == 1
    assert report(process).folio == f"MA-{int(folios[0].partition('-')[2]) + 1}", (
        "a lost click takes no folio"
    )


def test_folio_is_counted_last(db):
    """All who file wait for the counter, so nothing but the folio may be written after it."""
    make_supervisor()
    process = make_process(S0)
    with CaptureQueriesContext(connection) as queries:
        report(process)
    statements = [query["sql"] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    at = next(place for place, sql in enumerate(statements) if "tickets_foliocounter" in sql)
    assert [sql.partition(" WHERE")[0].split("'")[0] for sql in statements[at + 1 :]] == [
        'UPDATE "tickets_ticket" SET "folio" = '
    ]
    assert sum('UPDATE "tickets_ticket"' in sql for sql in statements) == 1


def test_filing_costs_a_constant_number_of_queries(db, django_assert_max_num_queries):
    process = make_process(S2)
    for _before in range(3):
        make_ticket(process)
        make_supervisor()
    process = Process.objects.get(pk=process.pk)
    customer, category = make_user(), process.categories.first()
    with django_assert_max_num_queries(20):
        report(process, actor=customer, category=category, key="k")
    with django_assert_max_num_queries(20):
        report(process, actor=customer, category=category, key="k2")


def test_address_with_invisible_character_is_refused(db):
    """B14, B34: mail would reach the address without that character, but not count towards its limit."""
    with pytest.raises(InvalidData) as refused:
        report(make_process(S0), requester=Requester(email="ana@exa\u200bmple.com", name="Ana"))
    assert refused.value.errors.keys() == {"email"}
    assert not Ticket.objects.exists()
