"""Which procedures stand beside a ticket: department, process, category, stage and words (S2.36–S2.38)."""

import pytest

from accounts.enums import Role
from accounts.models import Department
from accounts.tests.factories import make_user
from knowledge import articles
from knowledge.articles import Scope
from knowledge.enums import Audience
from knowledge.procedures import answering, fitting
from knowledge.tests.factories import make_article, make_draft, make_supervisor
from tickets.models import Ticket
from tickets.tests.factories import make_process, make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket():
    made = make_ticket(make_process(), category="pagos", title="Mi pago no aparece")
    Ticket.objects.filter(pk=made.pk).update(department=Department.objects.get(key="administracion"))
    made.refresh_from_db()
    return made


def procedure(title, *scopes, **fields):
    return make_article(title, audience=Audience.INTERNAL, scopes=scopes, **fields)


def titles(ticket, reader=None):
    agent = reader or make_user(role=Role.AGENT)
    return [fit.article.published_text("es").published.title for fit in fitting(ticket, reader=agent)]


def test_procedure_of_the_department_fits_and_others_do_not(ticket):
    procedure("De Administración", Scope(department="administracion"))
    procedure("De Académico", Scope(department="academico"))
    procedure("Sin lugar")

    assert titles(ticket) == ["De Administración"]


def test_words_come_first_and_then_the_narrowest(ticket):
    process = ticket.definition.key
    procedure("Ancho", Scope(department="administracion"))
    procedure("Estrecho", Scope(process, "pagos"), Scope(process))
    procedure("Con palabras", Scope(department="administracion"), words="pago, factura")

    assert titles(ticket) == ["Con palabras", "Estrecho", "Ancho"]


def test_stage_and_category_must_be_those_of_the_ticket(ticket):
    process = ticket.definition.key
    procedure("De esta etapa", Scope(process, stage=ticket.stage))
    procedure("De otra etapa", Scope(process, stage="revision"))
    procedure("De otra categoría", Scope(process, "notas"))

    assert titles(ticket) == ["De esta etapa"]


def test_drafts_and_customers_see_none(ticket):
    make_draft("Borrador", audience=Audience.INTERNAL, scopes=[Scope(department="administracion")])
    published = procedure("Publicado", Scope(department="administracion"))

    assert titles(ticket) == ["Publicado"]
    assert titles(ticket, reader=make_user()) == []
    articles.archive(published, actor=make_supervisor())
    assert titles(ticket) == []


def test_answers_for_customers_are_no_procedures(ticket):
    make_article("Público", scopes=[Scope(ticket.definition.key, "pagos")])
    procedure("Interno", Scope(department="administracion"))

    found = answering(ticket, reader=make_user(role=Role.AGENT))

    assert [fit.article.slug for fit in found] == ["publico"]


@pytest.mark.parametrize("count", [1, 8])
def test_fitting_takes_the_same_queries(ticket, django_assert_max_num_queries, count):
    for number in range(count):
        procedure(f"Número {number}", Scope(department="administracion"))
    agent = make_user(role=Role.AGENT)

    with django_assert_max_num_queries(4):
        assert fitting(ticket, reader=agent)


def test_scope_of_an_unknown_department_is_left_out():
    article = procedure("Perdido", Scope(process="x", department="no-existe"))

    assert not article.scopes.exists()
