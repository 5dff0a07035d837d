"""The verbs of articles: write, publish, archive, move and review them. Each is one transaction and leaves a record."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import Department, User
from content.article_markdown import MAX_ARTICLE
from content.form_fields import LineField, LongTextField, cleaned_values
from content.text import clean_line

from . import indexing, personal_data, policies
from .enums import ArticleState, Audience, ChangeKind
from .exceptions import NotAllowed, NotPublishable, StaleArticle
from .models import (
    Article,
    ArticleChange,
    ArticleRedirect,
    ArticleScope,
    ArticleText,
    ArticleVersion,
    Section,
)
from .models.article import SLUG, SUMMARY, TITLE

REVIEW_DAYS = 180
"""A published article without a review date gets one this many days ahead."""
MOST_SCOPES = 20
LANGUAGES = [code for code, _name in settings.LANGUAGES]


@dataclass(frozen=True)
class Scope:
    """Where an article fits: see `ArticleScope`. `department` is its key; empty values stand for any."""

    process: str = ""
    category: str = ""
    stage: str = ""
    department: str = ""


@transaction.atomic
def create(
    *,
    actor: User,
    section: Section,
    title: str,
    body: str,
    language: str = "es",
    summary: str = "",
    audience: Audience | str = Audience.PUBLIC,
    slug: str = "",
    words: str = "",
    scopes: Iterable[Scope] = (),
    owner: User | None = None,
    review_on: date | None = None,
    source: str = "",
) -> Article:
    """Create a draft with the first version of its text. `owner` is the actor if none is given. `source` is the folio
    of the ticket from whose solution it was written.

    Without `slug` the address is made of the title. Raises `NotAllowed`, `InvalidData`.
    """
    _require(policies.can_write(actor))
    values = _text(title=title, summary=summary, body=body)
    article = Article(
        section=section,
        audience=Audience(audience),
        slug=free_slug(slug or values["title"]),
        words=clean_line(words, max_length=300),
        owner=owner or actor,
        review_on=review_on,
    )
    article.save()
    _replace_scopes(article, scopes)
    _add_version(article, language=language, actor=actor, note="", values=values)
    _record(article, ChangeKind.CREATED, actor, **({"source": source} if source else {}))
    return article


@transaction.atomic
def save_version(
    article: Article,
    *,
    actor: User,
    language: str,
    title: str,
    body: str,
    summary: str = "",
    note: str = "",
    expected: int | None = None,
) -> ArticleVersion:
    """Save what was written as the next version of the text in this language, and return it. Readers go on seeing the
    published one.

    `expected` is the number of the version that the person began with, 0 for a new language; another one in between
    raises `StaleArticle`. A text equal to the latest version makes none: that one is returned. Raises `NotAllowed`,
    `InvalidData`.
    """
    _require(policies.can_write(actor))
    values = _text(title=title, summary=summary, body=body)
    locked = _lock(article)
    latest = locked.versions.filter(language=language).order_by("-number").first()
    if latest and values == {name: getattr(latest, name) for name in values}:
        return latest
    if expected is not None and expected != (latest.number if latest else 0):
        raise StaleArticle
    note = clean_line(note, max_length=200)
    return _add_version(locked, language=language, actor=actor, note=note, values=values, after=latest)


@transaction.atomic
def publish(article: Article, *, actor: User, languages: Collection[str] = ()) -> Article:
    """Show the latest version of each text, or of the texts in `languages`, to readers, and return the article.

    Raises `NotAllowed`, and `NotPublishable` while a text has marks of personal data.
    """
    locked = _lock(article)
    _require(policies.can_publish(actor, locked))
    texts = [
        text for text in locked.texts.select_related("latest") if not languages or text.language in languages
    ]
    if not texts:
        raise NotPublishable(_("El artículo no tiene texto en ese idioma."))
    for text in texts:
        _require_no_marks(text.latest)
    changed = [text for text in texts if text.has_unpublished_changes]
    if locked.state == ArticleState.PUBLISHED and not changed:
        return locked
    for text in changed:
        text.published = text.latest
        text.save(update_fields=["published"])
    locked.state = ArticleState.PUBLISHED
    locked.updated_at = timezone.now()
    if locked.review_on is None:
        locked.review_on = timezone.localdate() + timedelta(days=REVIEW_DAYS)
    locked.save(update_fields=["state", "updated_at", "review_on"])
    numbers = {text.language: text.latest.number for text in changed if text.latest}
    _record(locked, ChangeKind.PUBLISHED, actor, versions=numbers)
    indexing.write(locked)
    return locked


@transaction.atomic
def archive(article: Article, *, actor: User) -> Article:
    """Take the article away from readers; staff still find it among the archived. Twice is once."""
    locked = _lock(article)
    _require(policies.can_publish(actor, locked))
    if locked.state != ArticleState.ARCHIVED:
        locked.state = ArticleState.ARCHIVED
        locked.save(update_fields=["state"])
        _record(locked, ChangeKind.ARCHIVED, actor)
        indexing.write(locked)
    return locked


@transaction.atomic
def restore(article: Article, *, actor: User) -> Article:
    """Make a draft of an archived article."""
    locked = _lock(article)
    _require(policies.can_publish(actor, locked))
    if locked.state == ArticleState.ARCHIVED:
        locked.state = ArticleState.DRAFT
        locked.save(update_fields=["state"])
        _record(locked, ChangeKind.RESTORED, actor)
    return locked


@transaction.atomic
def rename(article: Article, slug: str, *, actor: User) -> Article:
    """Give the article another address. The earlier one leads to it for ever. Raises `NotPublishable` if another
    article has or had that address."""
    locked = _lock(article)
    _require(policies.can_publish(actor, locked))
    wanted = slugify(slug)[:SLUG]
    if wanted == locked.slug:
        return locked
    others = ArticleRedirect.objects.filter(slug=wanted).exclude(article=locked)
    if not wanted or Article.objects.filter(slug=wanted).exists() or others.exists():
        raise NotPublishable(_("Esa dirección ya lleva a otro artículo. Elige otra."))
    ArticleRedirect.objects.filter(slug=wanted).delete()
    ArticleRedirect.objects.get_or_create(slug=locked.slug, defaults={"article": locked})
    before, locked.slug = locked.slug, wanted
    locked.save(update_fields=["slug"])
    _record(locked, ChangeKind.RENAMED, actor, before=before, after=wanted)
    return locked


@transaction.atomic
def edit_card(
    article: Article,
    *,
    actor: User,
    section: Section | None = None,
    audience: Audience | str | None = None,
    owner: User | None = None,
    review_on: date | None = None,
    words: str | None = None,
    scopes: Iterable[Scope] | None = None,
) -> Article:
    """Change what the article's card says; what is None stays. Who wrote a draft that is not published may do so too,
    except to give it another owner. What is published needs the right to publish it as it is to be: its owner may not
    show a procedure to everybody. Raises `NotAllowed`."""
    locked = _lock(article)
    _require(policies.can_edit_card(actor, locked))
    _require(policies.can_publish(actor, locked) or owner in (None, actor))
    values: dict[str, Any] = {
        "section": section,
        "audience": Audience(audience) if audience else None,
        "owner": owner,
        "review_on": review_on,
        "words": None if words is None else clean_line(words, max_length=300),
    }
    changed = {
        name: value for name, value in values.items() if value is not None and value != getattr(locked, name)
    }
    for name, value in changed.items():
        setattr(locked, name, value)
    _require(policies.can_publish(actor, locked) or locked.state != ArticleState.PUBLISHED)
    locked.save(update_fields=list(changed))
    if scopes is not None:
        _replace_scopes(locked, scopes)
    if changed or scopes is not None:
        _record(
            locked,
            ChangeKind.EDITED,
            actor,
            fields=sorted([*changed, *(["scopes"] if scopes is not None else [])]),
        )
    if {"audience", "words"} & changed.keys():
        indexing.write(locked)
    return locked


@transaction.atomic
def mark_reviewed(article: Article, *, actor: User, next_on: date | None = None) -> Article:
    """Record that the article is still right, and set the next review: in `REVIEW_DAYS` if no date is given. Its owner
    may do so, too."""
    locked = _lock(article)
    _require(
        policies.can_publish(actor, locked) or (policies.can_write(actor) and locked.owner_id == actor.pk)
    )
    locked.review_on = next_on or timezone.localdate() + timedelta(days=REVIEW_DAYS)
    locked.save(update_fields=["review_on"])
    _record(locked, ChangeKind.REVIEWED, actor, next=locked.review_on)
    return locked


def free_slug(text: str) -> str:
    """Return an address made of the words of `text` that no article has or had."""
    base = slugify(text)[: SLUG - 4].strip("-") or "articulo"
    number, slug = 1, base
    while Article.objects.filter(slug=slug).exists() or ArticleRedirect.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{base}-{number}"
    return slug


def _require(allowed: bool) -> None:
    if not allowed:
        raise NotAllowed


def _lock(article: Article) -> Article:
    locked: Article
    [locked] = Article.objects.select_for_update().filter(pk=article.pk)
    return locked


def _text(**given: str) -> dict[str, Any]:
    """Return title, summary and body, clean. Raises `InvalidData` with every problem."""
    return cleaned_values(
        given,
        title=LineField(max_length=TITLE),
        summary=LineField(max_length=SUMMARY, required=False),
        body=LongTextField(max_length=MAX_ARTICLE),
    )


def _add_version(
    article: Article,
    *,
    language: str,
    actor: User,
    note: str,
    values: dict[str, Any],
    after: ArticleVersion | None = None,
) -> ArticleVersion:
    if language not in LANGUAGES:
        raise ValueError(f"articles have no texts in {language}")
    number = after.number + 1 if after else 1
    version = ArticleVersion(
        article=article, language=language, number=number, author=actor, note=note, **values
    )
    version.save()
    ArticleText.objects.update_or_create(article=article, language=language, defaults={"latest": version})
    return version


def _require_no_marks(version: ArticleVersion | None) -> None:
    if version is None:
        return
    marks = personal_data.marks_in("\n".join((version.title, version.summary, version.body)))
    if marks:
        raise NotPublishable(
            _("Quita los datos personales marcados antes de publicar: %(marks)s.")
            % {"marks": ", ".join(marks[:5])}
        )


def _replace_scopes(article: Article, scopes: Iterable[Scope]) -> None:
    """Write the article's scopes anew. Scopes that name nothing, and departments that there are not, are left out."""
    wanted = list(dict.fromkeys(scope for scope in scopes if scope.process or scope.department))[:MOST_SCOPES]
    keys = {scope.department for scope in wanted if scope.department}
    departments = {place.key: place for place in Department.objects.filter(key__in=keys)}
    article.scopes.all().delete()
    ArticleScope.objects.bulk_create(
        ArticleScope(
            article=article,
            department=departments.get(scope.department),
            process=scope.process,
            category=scope.category,
            stage=scope.stage,
        )
        for scope in wanted
        if not scope.department or scope.department in departments
    )


def _record(article: Article, kind: ChangeKind, actor: User | None, **data: Any) -> None:
    ArticleChange.objects.create(article=article, kind=kind, actor=actor, data=data)
