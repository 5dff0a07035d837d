"""Another app adds event kinds, mails, triggers, guards, effects and sentences without editing `tickets`."""

from collections.abc import Iterator

import pytest
from django.db import models, transaction
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.tests.factories import make_supervisor
from tickets.definitions.definition import Definition
from tickets.definitions.loading import library
from tickets.definitions.problems import DefinitionError
from tickets.enums import EventKind
from tickets.exceptions import GuardFailed
from tickets.lists import history
from tickets.lists.history import Names, teller
from tickets.models import Ticket, TicketEvent
from tickets.record.events import record
from tickets.record.locking import locked
from tickets.tests.factories import make_process, make_ticket
from tickets.vocabulary import EVENT_KINDS, TEMPLATES, TRIGGERS, Vocabulary
from tickets.workflow import effects, guards
from tickets.workflow.checking import load
from tickets.workflow.perform import fire, perform
from tickets.workflow.publishing import publish
from tickets.workflow.step import Step

pytestmark = pytest.mark.django_db


class QuoteEvent(models.TextChoices):
    QUOTED = "quoted", "Presupuesto enviado"


class QuoteMail(models.TextChoices):
    QUOTE_SENT = "quote_sent", "Presupuesto"


class QuoteTrigger(models.TextChoices):
    QUOTE_PAID = "quote_paid", "Se paga el presupuesto"


ACTIONS = """
[[actions]]
key = "pagado"
label = { es = "Pagado", en = "Paid" }
from = ["recibido"]
on = "quote_paid"
effects = ["note_payment"]
notify = [{ to = "requester", template = "quote_sent" }]

[[actions]]
key = "cotizar"
label = { es = "Cotizar", en = "Quote" }
from = ["recibido"]
by = ["role:supervisor"]
guards = ["has_quote"]
"""


@pytest.fixture
def quotes() -> Iterator[None]:
    """Register the names of an app of quotes for one test, and remove them afterwards."""
    added = [(EVENT_KINDS, QuoteEvent), (TEMPLATES, QuoteMail), (TRIGGERS, QuoteTrigger)]
    for vocabulary, names in added:
        vocabulary.extend(names)

    @guards.guard
    def has_quote(step: Step, argument: str) -> None:
        raise GuardFailed("Falta el presupuesto.")

    @effects.effect
    def note_payment(step: Step, argument: str) -> None:
        step.facts["paid"] = True

    @teller(QuoteEvent.QUOTED)
    def quoted(event: TicketEvent, definition: Definition, names: Names) -> SafeString:
        return format_html("<b>{}</b> envió un presupuesto", event.actor_name)

    yield
    for vocabulary, names in added:
        for member in names:
            del vocabulary._labels[member.value]
    del guards.GUARDS["has_quote"], effects.EFFECTS["note_payment"], history.TELLERS[QuoteEvent.QUOTED]


@pytest.fixture
def ticket(quotes: None) -> Ticket:
    make_process()  # the departments that the file names
    return make_ticket(publish(f"{library()['soporte-con-aprobacion']}\n{ACTIONS}").process)


def test_process_can_use_names_of_another_app(ticket: Ticket):
    with transaction.atomic():
        done = fire(locked(ticket), "quote_paid")

    assert done is not None
    event = ticket.events.get(action="pagado")
    assert (event.data["paid"], event.notify[0]["template"]) == (True, "quote_sent")


def test_guard_of_another_app_refuses_with_its_message(ticket: Ticket):
    with pytest.raises(GuardFailed, match="Falta el presupuesto") as failure:
        perform(ticket, "cotizar", actor=make_supervisor())

    assert failure.value.guard == "has_quote"


def test_history_tells_an_event_of_another_app(ticket: Ticket):
    supervisor = make_supervisor(name="Carolina Núñez")
    with transaction.atomic():
        event = record(locked(ticket), QuoteEvent.QUOTED, actor=supervisor, public=False)

    assert history.tell(event, ticket.definition, Names()) == "<b>Carolina Núñez</b> envió un presupuesto"
    assert event.get_kind_display() == "Presupuesto enviado"
    assert TicketEvent.objects.get(kind="quoted") == event


def problems_of(source: str) -> list[str]:
    with pytest.raises(DefinitionError) as error:
        load(source)
    return [problem.message for problem in error.value.problems]


def test_names_of_another_app_need_that_app():
    source = f"{library()['soporte-con-aprobacion']}\n# no quotes here\n{ACTIONS}"

    assert [message.partition(" no es")[0] for message in problems_of(source)] == ["«quote_paid»"]
    assert problems_of(source.replace("quote_paid", "solution_sent")) == [
        "no conocemos «note_payment»",
        "no hay un correo «quote_sent»",
        "no conocemos «has_quote»",
    ]


def test_name_of_one_app_cannot_be_reused():
    class Thief(models.TextChoices):
        FILED = "filed", "Robado"

    vocabulary = Vocabulary("event kind", EventKind)
    vocabulary.extend(EventKind)  # extending twice changes nothing

    with pytest.raises(ValueError, match="EventKind's already"):
        vocabulary.extend(Thief)
    with pytest.raises(ValueError, match="already"):
        teller(EventKind.ASSIGNED)(lambda event, definition, names: SafeString(""))
