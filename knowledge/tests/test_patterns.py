"""Solutions that repeat are offered in words that are nobody's: no foreign ticket, name, number or internal note."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.tests.factories import make_user
from knowledge.models import SolutionPattern
from knowledge.suggestions import find, patterns, suggest
from tickets.models import Category, Process, Ticket, TicketEvent
from tickets.tests.solving import make_solved

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S3.20")]
DONE = "Borramos los códigos anteriores y enviamos uno nuevo al correo."
NAMES = ("Ana Rojas", "Luis Peña", "Eva Mora", "Iván Soto", "Sara Gil", "Noé Paz")


def solved(
    name: str, *, done: str = DONE, title: str = "No llega el código", approved: bool = True, requester=None
):
    """Solve and close a ticket of a customer with this name, whom it returns."""
    note = "Nota secreta: revisar el código espejo."
    requester = requester or make_user(name=name)
    make_solved(
        title, done=done, steps="Listo.", approved=approved, requester=requester, note=note,
        description="El código no me llega.",
    )  # fmt: skip
    return requester


def test_solution_that_five_customers_approved_is_offered():
    for name in NAMES[:5]:
        solved(name)

    assert patterns.refresh() == 1
    pattern = SolutionPattern.objects.get()
    assert (pattern.title, pattern.text) == ("No llega el código", f"{DONE} Listo.")
    assert (pattern.cases, pattern.customers, pattern.needs_account) == (5, 5, True)
    items = suggest("no me llega el codigo", reader=make_user(), language="es").items
    assert [each.pattern for each in items] == [pattern]
    assert not suggest("no me llega el codigo", reader=None, language="es")


def test_fewer_customers_or_no_approval_make_no_pattern():
    again = solved(NAMES[0])
    for name in NAMES[1:4]:
        solved(name)
    solved(NAMES[0], requester=again)
    solved(NAMES[4], approved=False)

    assert patterns.refresh() == 0


def test_pattern_has_no_word_of_fewer_customers():
    for number, name in enumerate(NAMES):
        secret = "El saldo embargado de Zutano era enorme. " if number == 0 else ""
        solved(
            name,
            done=f"{DONE} {secret}Escribimos a {name}. Su cuenta es 300555{number:04}. Ver MA-10012.",
            title="No llega el código" if number else "No llega el código de mi divorcio",
        )
    patterns.refresh()

    pattern = SolutionPattern.objects.get()
    assert pattern.text == f"{DONE} Listo."
    told = f"{pattern.title} {pattern.text} {pattern.stems}".casefold()
    for word in ("embarg", "zutano", "divorci", "300555", "ma-10012", "secreta", "espejo", "ana", "rojas"):
        assert word not in told


def test_password_that_everybody_was_given_is_left_out():
    for name in NAMES:
        solved(name, done=f"{DONE} La clave temporal es Parki2026.")
    patterns.refresh()

    assert "Parki2026" not in SolutionPattern.objects.get().text


def test_common_name_is_left_out_too():
    for name in NAMES:
        solved(f"María {name}", done=f"{DONE} Hablamos con María.")
    patterns.refresh()

    assert SolutionPattern.objects.get().text == f"{DONE} Listo."


def test_refresh_forgets_what_no_longer_repeats_and_keeps_what_is_hidden():
    for name in NAMES:
        solved(name)
    patterns.refresh()
    SolutionPattern.objects.update(is_hidden=True)
    patterns.refresh()

    assert SolutionPattern.objects.get().is_hidden
    long_ago = timezone.now() - timedelta(days=patterns.DAYS + 1)
    Ticket.objects.update(closed_at=long_ago)
    assert patterns.refresh() == 0
    assert SolutionPattern.objects.get().is_hidden, "it may repeat again"
    SolutionPattern.objects.update(refreshed_at=long_ago)
    patterns.refresh()
    assert not SolutionPattern.objects.exists()


def test_refresh_forgets_an_offered_pattern_that_no_longer_repeats():
    for name in NAMES:
        solved(name)
    patterns.refresh()
    Ticket.objects.update(closed_at=timezone.now() - timedelta(days=patterns.DAYS + 1))

    patterns.refresh()

    assert not SolutionPattern.objects.exists()


@pytest.mark.parametrize("retired", ["process", "category"])
def test_pattern_of_what_is_retired_is_offered_no_more(retired: str):
    for name in NAMES:
        solved(name)
    patterns.refresh()
    pattern, reader = SolutionPattern.objects.get(), make_user()
    assert suggest("no me llega el codigo", reader=reader, language="es")
    process = Process.objects.get(key=pattern.process)
    rows = Process.objects if retired == "process" else process.categories.filter(key=pattern.category)
    rows.update(is_active=False)

    assert not suggest("no me llega el codigo", reader=reader, language="es")
    assert find(f"solucion-{pattern.pk}", reader=reader) is None
    assert patterns.refresh() == 0
    rows.update(is_active=True)
    assert patterns.refresh() == 1


def test_renamed_category_keeps_its_patterns():
    for name in NAMES:
        solved(name)
    category = Ticket.objects.first().category
    Category.objects.filter(pk=category.pk).update(is_active=False)
    Category.objects.create(process=category.process, key=category.key, name="Otro nombre")

    assert patterns.refresh() == 1
    assert suggest("no me llega el codigo", reader=make_user(), language="es")


def test_hidden_solution_stays_hidden_when_its_text_changes():
    for name in NAMES:
        solved(name)
    patterns.refresh()
    SolutionPattern.objects.update(is_hidden=True)
    for name in NAMES:
        solved(f"{name} Segunda", done=f"{DONE} Reinicia el equipo.")

    assert patterns.refresh() == 1

    assert SolutionPattern.objects.count() == 2
    assert not SolutionPattern.objects.filter(is_hidden=False).exists()


def test_account_and_guest_of_one_address_are_one_customer():
    customers = set()
    for name in NAMES[:2]:
        solved(name)
    for number, ticket in enumerate(Ticket.objects.all()):
        ticket.requester_email = ("ana@correo.example", "Ana+otra@correo.example")[number]
        ticket.requester = None if number else ticket.requester
        customers.add(patterns.customer_of(ticket))

    assert len(customers) == 1


@pytest.mark.parametrize("count", [5, 9])
def test_refresh_takes_the_same_queries(django_assert_max_num_queries, count):
    for number in range(count):
        solved(f"Persona {number}")

    with django_assert_max_num_queries(10):
        patterns.refresh()


@pytest.mark.parametrize("site", ["pago-seguro.example", "https://1.2.3.4/codigo"])
def test_title_that_names_a_site_is_not_offered(site: str):
    for name in NAMES[:5]:
        solved(name, title=f"Valida tu código en {site}")

    assert patterns.refresh() == 1
    assert "Valida" not in SolutionPattern.objects.get().title


@pytest.mark.parametrize(("address", "count"), [("ana+{}@example.com", 0), ("ana{}@example.com", 1)])
def test_addresses_of_one_mailbox_are_one_customer(address: str, count: int):
    for number, name in enumerate(NAMES[:5]):
        requester = solved(name)
        tickets = Ticket.objects.filter(requester=requester)
        TicketEvent.objects.filter(ticket__in=tickets, actor=requester).update(actor=None, actor_name=name)
        tickets.update(requester=None, requester_email=address.format(number), requester_name=name)

    assert patterns.refresh() == count
