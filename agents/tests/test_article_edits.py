"""The editor of articles: versions, preview, card, files, and what only some may do (S2.47)."""

from typing import Any

import pytest

from accounts.models import User
from accounts.tests.factories import make_agent, make_user
from knowledge import articles
from knowledge.enums import ArticleState, Audience
from knowledge.models import Article
from knowledge.tests.factories import BODY, make_article, make_draft, make_section, make_supervisor
from tickets.models import FormDraft
from tickets.tests.factories import make_process

from .factories import picture, signed_in, text_of

pytestmark = pytest.mark.django_db
ROOT = "/agentes/conocimiento/"
NEW = f"{ROOT}articulos/nuevo/"


@pytest.fixture
def agent() -> User:
    return make_agent(name="Diego Salazar")


@pytest.fixture
def draft(agent: User) -> Article:
    return make_draft("Cambié de celular", actor=agent, body="Escribe a soporte.")


def address(article: Article, rest: str = "editar/") -> str:
    return f"{ROOT}{article.slug}/{rest}"


def form(article: Article, **changes: Any) -> dict[str, Any]:
    """Return what the editor posts for an article in Spanish, with changes."""
    latest = article.versions.filter(language="es").first()
    return {
        "idioma": "es",
        "title": latest.title,
        "summary": latest.summary,
        "body": latest.body,
        "expected": latest.number,
        "section": article.section_id,
        "audience": article.audience,
        "owner": article.owner_id or "",
        "review_on": article.review_on or "",
        "words": article.words,
    } | changes


def test_new_article_is_a_draft_of_its_author(agent: User):
    section = make_section()
    values = {
        "title": "Pagar con tarjeta",
        "body": BODY,
        "section": section.pk,
        "audience": "public",
        "owner": agent.pk,
    }

    response = signed_in(agent).post(NEW, values)
    made = Article.objects.get()
    assert response.url == f"{ROOT}pagar-con-tarjeta/editar/?idioma=es"
    assert (made.state, made.owner, made.versions.get().author) == (ArticleState.DRAFT, agent, agent)


def test_new_article_without_text_keeps_what_was_typed(agent: User):
    section = make_section()
    client = signed_in(agent)

    response = client.post(NEW, {"title": "Un título", "section": section.pk, "audience": "public"})
    assert response.status_code == 422
    assert "Un título" in text_of(response)
    assert "Un título" in text_of(client.get(NEW))
    assert not Article.objects.exists()


def test_saving_makes_a_version_and_readers_see_the_published_one(agent: User):
    article = make_article("Cambié de celular", body="El texto publicado.")

    response = signed_in(agent).post(
        address(article), form(article, body="El texto nuevo.", note="Más claro")
    )
    assert response.status_code == 302
    assert list(article.versions.values_list("number", "note")) == [(2, "Más claro"), (1, "")]
    assert "El texto publicado." in text_of(signed_in(make_user()).get(f"/ayuda/{article.slug}/"))


def test_editor_names_the_published_version_and_the_one_that_waits(agent: User):
    article = make_article("Pagar con tarjeta")
    page = text_of(signed_in(agent).get(address(article)))
    assert "Publicado v1" in page
    assert "sin publicar" not in page

    signed_in(agent).post(address(article), form(article, body="Otro texto.", do="save"))

    page = text_of(signed_in(agent).get(address(article)))
    assert "Publicado v1" in page
    assert "v2 sin publicar" in page


def test_agent_drafts_and_supervisor_publishes(agent: User, draft: Article):
    assert 'value="publish"' not in text_of(signed_in(agent).get(address(draft)))
    refused = signed_in(agent).post(address(draft), form(draft, do="publish"))
    assert refused.status_code == 422
    assert "No tienes permiso" in text_of(refused)

    signed_in(make_supervisor()).post(address(draft), form(draft, do="publish"))
    draft.refresh_from_db()
    assert draft.is_published


@pytest.mark.demand("S2.36")
def test_owner_publishes_a_procedure_of_their_own(agent: User):
    procedure = make_draft("Interno", actor=agent, audience=Audience.INTERNAL)

    signed_in(agent).post(address(procedure), form(procedure, do="publish"))
    procedure.refresh_from_db()
    assert procedure.is_published
    # but shows it to nobody else than staff
    response = signed_in(agent).post(address(procedure), form(procedure, audience="public"))
    procedure.refresh_from_db()
    assert (response.status_code, procedure.audience) == (422, Audience.INTERNAL)


def test_personal_data_must_go_before_publishing(draft: Article):
    supervisor = signed_in(make_supervisor())
    typed = "Llama a [[Julián Torres]] al [[313 555 0188]]."

    response = supervisor.post(address(draft), form(draft, body=typed, do="publish"))
    page = text_of(response)
    assert response.status_code == 422
    assert "Quita 2 datos personales antes de publicar." in page
    assert "<mark>Julián Torres</mark>" in page
    draft.refresh_from_db()
    assert not draft.is_published
    assert draft.versions.first().body == typed
    again = supervisor.post(address(draft), form(draft, body="Llama a soporte.", do="publish"))
    assert again.status_code == 302


def test_text_that_somebody_saved_meanwhile_is_not_replaced(agent: User, draft: Article):
    begun = form(draft)
    articles.save_version(
        draft, actor=make_supervisor(), language="es", title="Cambié de celular", body="Escribe a ventas."
    )

    response = signed_in(agent).post(address(draft), begun | {"body": "Escribe a soporte técnico."})
    page = text_of(response)
    assert response.status_code == 409
    assert "guardó la versión 2 mientras escribías" in page
    assert "Escribe a soporte técnico.</textarea>" in page
    assert "<del>ventas.</del><ins>soporte técnico.</ins>" in page
    assert draft.versions.first().body == "Escribe a ventas."

    saved = signed_in(agent).post(
        address(draft),
        begun | {"body": "Escribe a soporte técnico.", "expected": response.context["editor"].expected},
    )
    assert saved.status_code == 302
    assert draft.versions.first().body == "Escribe a soporte técnico."


def test_typed_text_survives_a_reload_and_can_be_discarded(agent: User, draft: Article):
    client = signed_in(agent)
    client.post(f"/agentes/borradores/articulo-{draft.pk}-es/", form(draft, body="Sin guardar."))

    assert "Sin guardar.</textarea>" in text_of(client.get(address(draft)))
    assert "Sin guardar." not in text_of(signed_in(make_agent()).get(address(draft)))
    client.post(address(draft), {"descartar": "1", "idioma": "es"})
    assert "Sin guardar." not in text_of(client.get(address(draft)))


def test_preview_shows_safe_html_and_saves_nothing(agent: User, draft: Article):
    typed = "## Título\n\n<script>alert(1)</script> **fuerte** [[dato]]"
    client = signed_in(agent)

    part = text_of(client.post(address(draft, "vista/"), {"body": typed}))
    assert "<strong>fuerte</strong>" in part
    assert "<mark>dato</mark>" in part
    assert "<script>" not in part
    page = text_of(client.post(address(draft), form(draft, body=typed, do="preview")))
    assert "<strong>fuerte</strong>" in page
    assert draft.versions.count() == 1


def test_versions_are_compared_and_brought_back(agent: User, draft: Article):
    articles.save_version(
        draft, actor=agent, language="es", title="Cambié de celular", body="Escribe a ventas."
    )
    client = signed_in(agent)

    assert "<del>soporte.</del><ins>ventas.</ins>" in text_of(client.get(address(draft), {"de": 1, "a": 2}))
    assert "Escribe a soporte.</textarea>" in text_of(client.get(address(draft), {"version": 1}))
    for strange in ("99", "x", "9" * 30):
        assert client.get(address(draft), {"version": strange, "de": strange, "a": 1}).status_code == 200


@pytest.mark.parametrize(("button", "place"), [("idioma-en", "?idioma=en"), ("junto-", "?idioma=es")])
def test_turning_to_another_text_loses_nothing_typed(agent, draft, button, place):
    client = signed_in(agent)
    typed = form(draft, body="Sin guardar todavía.", do=button)

    turned = client.post(address(draft), typed)

    assert turned.url == f"{address(draft)}{place}"
    assert draft.texts.get(language="es").latest.body != "Sin guardar todavía."
    assert "Sin guardar todavía." in text_of(client.get(address(draft), {"idioma": "es"}))


def test_turning_without_a_change_keeps_nothing(agent, draft):
    two_lines = "Escribe a soporte.\n\nO llama."
    client = signed_in(agent)
    client.post(address(draft), form(draft, body=two_lines))

    client.post(address(draft), form(draft, body=two_lines.replace("\n", "\r\n"), do="idioma-en"))

    assert not FormDraft.objects.exclude(values={}).exists()


def test_each_language_has_its_text(agent: User, draft: Article):
    english = {"idioma": "en", "title": "New phone", "body": "Write to support.", "expected": 0}
    client = signed_in(agent)

    client.post(address(draft), form(draft) | english)
    assert set(draft.versions.values_list("language", "number")) == {("es", 1), ("en", 1)}
    page = text_of(client.get(address(draft), {"idioma": "en", "junto": "es"}))
    assert "Write to support.</textarea>" in page
    assert "<p>Escribe a soporte.</p>" in page


def test_card_says_for_which_tickets_a_procedure_is(agent: User):
    process = make_process("incidencia-tecnica")
    procedure = make_draft("Interno", actor=agent, audience=Audience.INTERNAL)
    stage = process.definition.stages[0].key
    place = {"topic-0": process.key, "stage-0": f"{process.key}.{stage}", "words": "código"}

    assert signed_in(agent).post(address(procedure), form(procedure, **place)).status_code == 302
    procedure.refresh_from_db()
    assert procedure.words == "código"
    assert [(each.process, each.stage) for each in procedure.scopes.all()] == [(process.key, stage)]
    wrong = form(procedure, **{"topic-0": "otro.cosa"})
    assert signed_in(agent).post(address(procedure), wrong).status_code == 422


def test_picture_is_kept_and_its_mark_written(agent: User, draft: Article):
    client = signed_in(agent)

    row = client.post(address(draft, "archivos/"), {"file": picture("Mi pantalla.png")})
    assert 'data-insert="![mi pantalla](mi-pantalla.png)"' in row.content.decode()
    page = text_of(
        client.post(address(draft), form(draft, do="upload", files=picture("otra.png"), body="Mira:"))
    )
    assert "Mira: ![otra](otra.png) </textarea>" in page
    refused = client.post(address(draft, "archivos/"), {"file": picture("x.exe")})
    assert refused.status_code == 422
    [first, second] = draft.files.all()
    page = text_of(client.post(address(draft), form(draft, quitar=str(first.uuid), body="Sigue aquí.")))
    assert "Sigue aquí." in page
    assert client.post(address(draft, f"archivos/{second.uuid}/quitar/")).status_code == 204
    assert not draft.files.exists()


def test_address_state_and_review_are_changed_by_post(draft: Article):
    client = signed_in(make_supervisor())
    client.post(address(draft), form(draft, do="publish"))
    draft.refresh_from_db()

    for verb in ("archive", "restore", "publish", "reviewed"):
        assert client.get(address(draft), {"do": verb}).status_code == 200
        assert client.post(address(draft), form(draft, do=verb)).status_code == 302
    assert list(draft.changes.values_list("kind", flat=True))[:3] == ["reviewed", "published", "restored"]
    moved = client.post(address(draft), form(draft, do="rename", slug="nuevo-celular"))
    assert moved.url == f"{ROOT}nuevo-celular/editar/?idioma=es"
    assert client.get(address(draft)).url == f"{ROOT}nuevo-celular/editar/"


def test_colleague_is_asked_to_review_and_answers(agent: User, draft: Article):
    reviewer = make_agent(name="Ana Blanco")
    values = form(
        draft, body="Escribe a soporte. Ya.", reviewer=reviewer.pk, review_note="El paso 2", do="ask-review"
    )
    answer = signed_in(agent).post(address(draft), values)

    assert answer.status_code == 302
    assert draft.versions.first().body == "Escribe a soporte. Ya."
    assert "Espera a Ana Blanco" in text_of(signed_in(agent).get(address(draft)))
    hers = signed_in(reviewer)
    asked = text_of(hers.get(ROOT, {"vista": "me-piden"}))
    assert "Cambié de celular" in asked
    assert f'href="{address(draft)}"' in asked
    assert 'Te piden revisar <span class="count">1</span>' in " ".join(text_of(hers.get(ROOT)).split())
    page = text_of(hers.get(address(draft)))
    assert "Diego Salazar te pidió revisar este artículo." in page
    assert "«El paso 2»" in page

    hers.post(address(draft), form(draft, review_answer="Perfecto", do="answer-review"))

    assert "Nadie espera que revises un artículo" in text_of(hers.get(ROOT, {"vista": "me-piden"}))
    page = text_of(signed_in(agent).get(address(draft)))
    assert "Ana Blanco lo revisó" in page
    assert "«Perfecto»" in page


@pytest.mark.parametrize("reviewer", ["", "999999", "x"])
def test_review_without_a_colleague_says_so_and_keeps_the_text(agent: User, draft: Article, reviewer: str):
    answer = signed_in(agent).post(
        address(draft), form(draft, body="Otro texto.", reviewer=reviewer, do="ask-review")
    )

    assert answer.status_code == 422
    assert "Elige a otra persona del equipo" in text_of(answer)
    assert "Otro texto." in text_of(answer)


@pytest.mark.parametrize("rest", ["editar/", "vista/", "archivos/"])
def test_customers_edit_nothing(draft: Article, rest: str):
    client = signed_in(make_user())

    assert client.post(address(draft, rest), form(draft, body="Ajeno")).status_code == 404
    assert draft.versions.count() == 1


def test_editor_takes_the_same_queries(agent: User, draft: Article, django_assert_max_num_queries: Any):
    client = signed_in(agent)
    client.get(address(draft))
    for number in range(8):
        articles.save_version(
            draft, actor=agent, language="es", title="Cambié de celular", body=f"Versión {number}."
        )
        signed_in(agent).post(address(draft, "archivos/"), {"file": picture(f"n{number}.png")})

    with django_assert_max_num_queries(22):
        client.get(address(draft))
