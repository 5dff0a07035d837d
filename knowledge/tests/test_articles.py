"""The verbs of articles, and who may read what (S2.36–S2.38, S2.47)."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.enums import Role
from accounts.tests.factories import make_user
from content.errors import InvalidData
from knowledge import articles, personal_data
from knowledge.enums import ArticleState, Audience, ChangeKind
from knowledge.exceptions import NotAllowed, NotPublishable, StaleArticle
from knowledge.models import Article, ArticleRedirect
from knowledge.tests.factories import make_article, make_draft, make_supervisor

pytestmark = pytest.mark.django_db


def save(article, **fields):
    defaults = {"actor": make_supervisor(), "language": "es", "title": "Título", "body": "Texto."}
    return articles.save_version(article, **{**defaults, **fields})


def test_draft_becomes_readable_when_it_is_published():
    article = make_draft()
    assert not Article.objects.in_portal(None).exists()

    articles.publish(article, actor=make_supervisor())

    assert [found.published_text().published.title for found in Article.objects.in_portal(None)] == [
        "No puedo entrar a mi cuenta"
    ]
    assert list(article.changes.values_list("kind", flat=True)) == [ChangeKind.PUBLISHED, ChangeKind.CREATED]


def test_readers_see_the_published_version_while_the_next_is_written():
    article = make_article(title="Antes")

    version = save(article, title="Después", expected=1)

    text = Article.objects.get().published_text()
    assert (version.number, text.published.title, text.latest.title) == (2, "Antes", "Después")
    articles.publish(article, actor=make_supervisor())
    assert Article.objects.get().published_text().published.title == "Después"


def test_same_text_makes_no_version():
    article = make_draft()
    first = save(article)

    assert save(article) == first
    assert article.versions.filter(language="es").count() == 2


def test_version_saved_meanwhile_is_not_overwritten():
    article = make_draft()
    save(article, title="De otra persona", expected=1)

    with pytest.raises(StaleArticle):
        save(article, title="Mío", expected=1)

    assert article.versions.first().title == "De otra persona"


def test_versions_never_change():
    version = make_draft().versions.get()
    version.title = "Otro"

    with pytest.raises(TypeError, match="never changes"):
        version.save()


def test_article_speaks_the_readers_language_where_it_can():
    article = make_article()
    save(article, language="en", title="I cannot sign in")
    articles.publish(article, actor=make_supervisor())

    assert Article.objects.get().published_text("en").published.title == "I cannot sign in"
    assert Article.objects.get().published_text("es").published.title == "No puedo entrar a mi cuenta"
    only_spanish = make_article("Solo en español")
    assert only_spanish.published_text("en").published.title == "Solo en español"


@pytest.mark.parametrize("audience", Audience)
def test_who_reads_what(audience):
    make_article(audience=audience)
    make_draft("Un borrador", audience=audience)
    customer, agent = make_user(), make_user(role=Role.AGENT)
    reads = {
        "visitor": Article.objects.visible_to(AnonymousUser()).count(),
        "customer": Article.objects.visible_to(customer).count(),
        "agent": Article.objects.visible_to(agent).count(),
        "visitor in portal": Article.objects.in_portal(None).count(),
        "customer in portal": Article.objects.in_portal(customer).count(),
        "agent in portal": Article.objects.in_portal(agent).count(),
    }

    public, customers = audience == Audience.PUBLIC, audience != Audience.INTERNAL
    assert reads == {
        "visitor": public,
        "customer": customers,
        "agent": 2,
        "visitor in portal": public,
        "customer in portal": customers,
        "agent in portal": customers,
    }


def test_archived_article_is_read_by_staff_alone():
    article = make_article()

    articles.archive(article, actor=make_supervisor())
    articles.archive(article, actor=make_supervisor())

    assert not Article.objects.visible_to(make_user()).exists()
    assert Article.objects.visible_to(make_user(role=Role.AGENT)).get().state == ArticleState.ARCHIVED
    assert article.changes.filter(kind=ChangeKind.ARCHIVED).count() == 1


def test_former_address_leads_to_the_article():
    article = make_article()

    articles.rename(article, "entrar", actor=make_supervisor())

    assert ArticleRedirect.objects.get(slug="no-puedo-entrar-a-mi-cuenta").article.slug == "entrar"
    other = make_draft("Otro")
    with pytest.raises(NotPublishable, match="otro artículo"):
        articles.rename(other, "no-puedo-entrar-a-mi-cuenta", actor=make_supervisor())
    articles.rename(article, "no-puedo-entrar-a-mi-cuenta", actor=make_supervisor())
    assert list(ArticleRedirect.objects.values_list("slug", flat=True)) == ["entrar"]


def test_agents_write_and_supervisors_publish():
    agent = make_user(role=Role.AGENT)
    article = make_draft(actor=agent)

    for verb in (articles.publish, articles.archive):
        with pytest.raises(NotAllowed):
            verb(article, actor=agent)
    with pytest.raises(NotAllowed):
        make_draft(actor=make_user())


def test_owner_publishes_a_procedure():
    agent = make_user(role=Role.AGENT)
    article = make_draft(actor=agent, audience=Audience.INTERNAL)

    assert articles.publish(article, actor=agent).is_published
    with pytest.raises(NotAllowed):
        articles.publish(article, actor=make_user(role=Role.AGENT))
    with pytest.raises(NotAllowed):
        articles.edit_card(article, actor=make_user(role=Role.AGENT), audience=Audience.PUBLIC)


def test_owner_of_a_procedure_cannot_show_it_to_everybody_without_a_supervisor():
    agent = make_user(role=Role.AGENT)
    article = articles.publish(make_draft(actor=agent, audience=Audience.INTERNAL), actor=agent)

    with pytest.raises(NotAllowed):
        articles.edit_card(article, actor=agent, audience=Audience.PUBLIC)

    assert not Article.objects.in_portal(None).exists()


def test_marked_personal_data_keeps_an_article_from_readers():
    body = personal_data.mark(
        "Escribió ana@example.com desde el 300 555 0142; lo vio Ana Ruiz.", names=("Ana Ruiz",)
    )
    article = make_draft(body=body)

    assert personal_data.marks_in(body) == ["ana@example.com", "300 555 0142", "Ana Ruiz"]
    assert personal_data.mark(body) == body
    with pytest.raises(NotPublishable, match=r"ana@example\.com"):
        articles.publish(article, actor=make_supervisor())


def test_text_without_title_is_refused_with_both_problems():
    with pytest.raises(InvalidData) as refused:
        make_draft("", body="")

    assert set(refused.value.errors) == {"title", "body"}


def test_review_is_due_when_its_day_comes():
    article = make_article(review_on=timezone.localdate())
    make_article("Sin prisa", review_on=date(2099, 1, 1))
    assert list(Article.objects.due_for_review()) == [article]

    articles.mark_reviewed(article, actor=make_supervisor())

    assert not Article.objects.due_for_review().exists()
    article.refresh_from_db()
    assert article.review_on == timezone.localdate() + timedelta(days=articles.REVIEW_DAYS)
