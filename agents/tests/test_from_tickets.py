"""Articles written from solved tickets, and which solutions are worth one: personal data never goes along unmarked."""

from typing import Any

import pytest

from accounts.models import User
from accounts.tests.factories import make_agent, make_department, make_supervisor
from knowledge import from_tickets
from knowledge.models import Article
from knowledge.tests.factories import make_section
from tickets.models import Ticket
from tickets.tests.factories import make_ticket
from tickets.tests.solving import make_solved

from .factories import signed_in, text_of

pytestmark = pytest.mark.django_db
NEW = "/agentes/conocimiento/articulos/nuevo/"
LIST = "/agentes/conocimiento/articulos/por-escribir/"
DONE = "Llamé a Julián Torres al 313 555 0188 y reinicié el acceso de julian@correo.example."
STEPS = "- Cierra la sesión.\n- Entra con el código nuevo."


@pytest.fixture
def supervisor() -> User:
    return make_supervisor(name="Carolina Núñez")


def solved(
    title: str = "No llega el código", *, done: str = DONE, steps: str = STEPS, approved: bool = True
) -> Ticket:
    return make_solved(title, done=done, steps=steps, approved=approved)


def titles(user: User) -> list[tuple[str, int]]:
    response: Any = signed_in(user).get(LIST)
    return [(each.ticket.title, each.count) for each in response.context["candidates"]]


def test_draft_has_the_steps_and_marks_personal_data(supervisor: User):
    draft = from_tickets.draft_of(solved("A Julián no le llega el código"))

    assert draft.title == "A [[Julián]] no le llega el código"
    assert draft.body == (
        "1. Cierra la sesión.\n2. Entra con el código nuevo.\n\n"
        "Llamé a [[Julián Torres]] al [[313 555 0188]] y reinicié el acceso de [[julian@correo.example]]."
    )


def test_article_is_written_from_the_ticket_and_published_without_its_data(supervisor: User):
    section, ticket = make_section(), solved()
    client = signed_in(supervisor)
    assert f"{NEW}?ticket={ticket.folio}" in text_of(client.get(f"/agentes/tickets/{ticket.folio}/"))

    page = client.get(NEW, {"ticket": ticket.folio})
    assert "[[313 555 0188]]" in text_of(page)
    form = {
        **page.context["form"].initial,
        "section": section.pk,
        "audience": "public",
        "owner": supervisor.pk,
        "topic-0": page.context["card"]["topic-0"].value(),
    }
    made = client.post(f"{NEW}?ticket={ticket.folio}", form)
    article = Article.objects.get()
    assert article.scopes.get().category == ticket.category.key
    editor = text_of(client.get(made.url))
    assert f"El texto salió de la solución de {ticket.folio}." in editor
    refused = client.post(made.url, form | {"do": "publish", "idioma": "es", "expected": 1})
    assert refused.status_code == 422
    article.refresh_from_db()
    assert not article.is_published


def test_ticket_that_is_not_solved_or_not_seen_makes_no_article(supervisor: User):
    make_section()
    stranger, ticket = make_agent(make_department("otro")), solved()
    unsolved = make_ticket(title="Sin resolver")

    response = signed_in(stranger).get(NEW, {"ticket": ticket.folio})
    assert response.status_code == 404
    assert "313 555" not in text_of(response)
    assert signed_in(supervisor).get(NEW, {"ticket": unsolved.folio}).status_code == 404
    assert titles(stranger) == []


def test_most_approved_solutions_come_first(supervisor: User):
    for name in ("Ana", "Beto", "Caro"):
        solved("No llega el código", done=f"Se reenvió el código a {name}.")
    solved("Factura duplicada", done="Administración anuló el segundo cobro de la reserva.", steps="")
    solved("No llega el código hoy", done="Se reenvió el código.", approved=False)

    assert titles(supervisor) == [("No llega el código", 3), ("Factura duplicada", 1)]


def test_solution_with_an_article_is_no_candidate(supervisor: User):
    section, ticket = make_section(), solved()
    form = {"title": "Código", "body": "Texto.", "section": section.pk, "audience": "public"}

    signed_in(supervisor).post(f"{NEW}?ticket={ticket.folio}", form)
    assert titles(supervisor) == []


@pytest.mark.parametrize("count", [1, 4])
def test_candidates_take_the_same_queries(supervisor: User, count: int, django_assert_max_num_queries: Any):
    for number in range(count):
        solved(f"Caso {number} distinto", done=f"Solución propia número{number} de palabra{number}a.")
    client = signed_in(supervisor)
    client.get(LIST)

    with django_assert_max_num_queries(9):
        client.get(LIST)
