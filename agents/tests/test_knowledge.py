"""Supervisors read what nobody found, and edit synonyms and sections (S2.47)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from accounts.tests.factories import make_agent
from knowledge import misses, proposal_uses, sections, synonyms
from knowledge.exceptions import NotAllowed
from knowledge.models import Deflection, SearchMiss, Section, SolutionPattern, SynonymGroup
from knowledge.suggestions import patterns
from knowledge.tests.factories import make_article, make_section, make_supervisor
from tickets.tests.factories import make_ticket

from .factories import signed_in, text_of

pytestmark = pytest.mark.django_db
ROOT = "/agentes/conocimiento/ajustes/"
DEFLECTIONS = f"{ROOT}evitados/"
SECTION = {"name": "Pagos", "icon": "credit-card", "position": 3}


@pytest.fixture
def supervisor() -> User:
    return make_supervisor()


@pytest.mark.parametrize("rest", ["busquedas/", "evitados/", "sinonimos/", "secciones/", "secciones/nueva/"])
def test_agents_do_not_edit_the_search(rest: str):
    client = signed_in(make_agent())

    assert client.get(f"{ROOT}{rest}").status_code == 404
    assert rest not in text_of(client.get("/agentes/conocimiento/"))


def test_what_nobody_found_is_listed_and_dismissed(supervisor: User):
    for query in ("recibo digital", "recibo digital", "cambiar placa"):
        misses.report(query)
    client = signed_in(supervisor)

    page = text_of(client.get(f"{ROOT}busquedas/"))
    assert page.index("recibo digital") < page.index("cambiar placa")
    assert "articulos/nuevo/?titulo=recibo%20digital" in page
    miss = SearchMiss.objects.get(query="cambiar placa")
    for _time in range(2):
        assert client.post(f"{ROOT}busquedas/{miss.pk}/descartar/").status_code == 302
    assert client.get(f"{ROOT}busquedas/{miss.pk}/descartar/").status_code == 405
    assert list(SearchMiss.objects.values_list("query", flat=True)) == ["recibo digital"]


def test_article_about_a_search_begins_with_its_words(supervisor: User):
    make_section()

    page = text_of(signed_in(supervisor).get("/agentes/conocimiento/articulos/nuevo/?titulo=recibo+digital"))
    assert 'value="recibo digital"' in page


def test_synonyms_are_added_changed_and_deleted(supervisor: User):
    client = signed_in(supervisor)

    assert client.post(f"{ROOT}sinonimos/", {"words": "clave, contraseña"}).status_code == 302
    group = SynonymGroup.objects.get()
    assert "clave, contraseña" in text_of(client.get(f"{ROOT}sinonimos/"))
    client.post(f"{ROOT}sinonimos/{group.pk}/", {"words": "clave, contraseña, password"})
    group.refresh_from_db()
    assert (group.words, group.edited_by) == ("clave, contraseña, password", supervisor)
    client.post(f"{ROOT}sinonimos/{group.pk}/", {"do": "delete"})
    assert not SynonymGroup.objects.exists()


def test_single_word_is_refused_and_kept(supervisor: User):
    response = signed_in(supervisor).post(f"{ROOT}sinonimos/", {"words": "sola"})

    assert response.status_code == 422
    assert 'value="sola"' in text_of(response)
    assert not SynonymGroup.objects.exists()


def test_section_is_made_changed_and_deleted(supervisor: User):
    client = signed_in(supervisor)

    assert client.post(f"{ROOT}secciones/nueva/", SECTION).status_code == 302
    made = Section.objects.get()
    assert (made.slug, made.icon, made.position) == ("pagos", "credit-card", 3)
    client.post(f"{ROOT}secciones/{made.pk}/", SECTION | {"name": "Pagos y facturas", "name_en": "Payments"})
    made.refresh_from_db()
    assert (made.name, made.name_en, made.slug) == ("Pagos y facturas", "Payments", "pagos")
    client.post(f"{ROOT}secciones/{made.pk}/", {"do": "delete"})
    assert not Section.objects.exists()


def test_section_with_articles_is_not_deleted(supervisor: User):
    section = make_article().section

    response = signed_in(supervisor).post(f"{ROOT}secciones/{section.pk}/", {"do": "delete"})
    assert response.status_code == 422
    assert "La sección tiene artículos" in text_of(response)
    assert Section.objects.exists()


def test_two_sections_of_one_name_have_two_addresses(supervisor: User):
    made = [sections.save(actor=supervisor, name="Pagos") for _time in range(2)]

    assert [section.slug for section in made] == ["pagos", "pagos-2"]


def test_verbs_refuse_agents():
    agent = make_agent()
    with pytest.raises(NotAllowed):
        sections.save(actor=agent, name="Pagos")
    with pytest.raises(NotAllowed):
        sections.delete(make_section(), actor=agent)
    with pytest.raises(NotAllowed):
        synonyms.save("una, otra", actor=agent)


@pytest.mark.parametrize("count", [1, 6])
def test_synonyms_take_the_same_queries(supervisor: User, count: int, django_assert_max_num_queries: Any):
    for number in range(count):
        synonyms.save(f"palabra{number}a, otra{number}a", actor=supervisor)
    client = signed_in(supervisor)
    client.get(f"{ROOT}sinonimos/")

    with django_assert_max_num_queries(6):
        client.get(f"{ROOT}sinonimos/")


# --- Tickets that answers made unnecessary ----------------------------------------------------------------


@pytest.mark.demand("S3.20")
def test_supervisor_sees_deflections_and_hides_a_solution(supervisor: User):
    article = make_article("Me cobraron dos veces")
    for outcome, days in (("counted", 1), ("counted", 80), ("filed", 1), ("pending", 1), ("counted", 91)):
        at = timezone.now() - timedelta(days=days)
        Deflection.objects.create(process="p", article=article, outcome=outcome, at=at)
    pattern = SolutionPattern.objects.create(
        digest="x", process="p", title="El código no llega", text="Pide uno nuevo.", cases=14, customers=9
    )
    for outcome, days in (("counted", 1), ("filed", 1), ("counted", 91)):
        at = timezone.now() - timedelta(days=days)
        Deflection.objects.create(process="p", pattern=pattern, outcome=outcome, at=at)
    client = signed_in(supervisor)

    page = text_of(client.get(DEFLECTIONS))
    assert "3 tickets evitados en 90 días" in page
    assert "Evitó 2 tickets" in page
    assert "14 casos" in page
    assert "evitó 1 ticket" in page
    assert "Evitó 2 tickets en 90 días" in text_of(client.get(f"/agentes/conocimiento/{article.slug}/"))
    client.post(f"{DEFLECTIONS}{pattern.pk}/")
    pattern.refresh_from_db()
    assert pattern.is_hidden
    assert "oculta" in text_of(client.get(DEFLECTIONS))
    client.post(f"{DEFLECTIONS}{pattern.pk}/", {"mostrar": "1"})
    pattern.refresh_from_db()
    assert not pattern.is_hidden


@pytest.mark.demand("S3.20")
def test_supervisor_sees_the_share_of_proposals_taken(supervisor: User):
    client = signed_in(supervisor)
    assert "Nadie tomó ni apartó ninguna en 90 días." in text_of(client.get(DEFLECTIONS))
    for verb in (proposal_uses.note_taken, proposal_uses.note_taken, proposal_uses.set_aside):
        verb(make_ticket(), actor=supervisor)

    page = text_of(client.get(DEFLECTIONS))

    assert "67 %" in page
    assert "tomadas: 2 de 3 propuestas en 90 días" in page


@pytest.mark.demand("S3.20")
def test_agent_hides_no_solution(supervisor: User):
    pattern = SolutionPattern.objects.create(
        digest="x", process="p", title="t", text="t", cases=5, customers=5
    )
    client = signed_in(make_agent())

    assert client.get(DEFLECTIONS).status_code == 404
    assert client.post(f"{DEFLECTIONS}{pattern.pk}/").status_code == 404
    with pytest.raises(NotAllowed):
        patterns.hide(pattern, actor=make_agent())
    assert not SolutionPattern.objects.get().is_hidden
