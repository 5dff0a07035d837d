"""Articles, their texts in each language, and the versions of these, which never change."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import Department

from ..enums import ArticleState, Audience, ChangeKind
from .querysets import ArticleQuerySet, ScopeQuerySet
from .section import Section

TITLE, SUMMARY, SLUG = 120, 300, 80
REVIEW_NOTE = 300


def minutes_of(body: str) -> int:
    """Return how many minutes it takes to read a text, at 200 words a minute; at least one."""
    return max(1, round(len(body.split()) / 200))


class Article(models.Model):
    """One answer, in one or more languages. What is shown is the published version of each `ArticleText`.

    `yes_count` and `no_count` are copies of the answers to «¿Te sirvió?», so that lists need not count them.
    """

    section = models.ForeignKey(
        Section, on_delete=models.PROTECT, related_name="articles", verbose_name=_("sección")
    )
    slug = models.SlugField(_("dirección"), unique=True, max_length=SLUG)
    audience = models.CharField(_("quién lo lee"), max_length=10, choices=Audience, default=Audience.PUBLIC)
    state = models.CharField(_("estado"), max_length=10, choices=ArticleState, default=ArticleState.DRAFT)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("responsable"),
    )
    review_on = models.DateField(_("revisar el"), null=True, blank=True)
    words = models.CharField(_("palabras clave"), max_length=300, blank=True)
    """Words that find the article, and for which a procedure is shown beside a ticket."""
    position = models.PositiveSmallIntegerField(_("orden"), default=0)
    yes_count = models.PositiveIntegerField(default=0, editable=False)
    no_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("actualizado"), default=timezone.now, editable=False)
    """When the article was last published."""

    objects = ArticleQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["section__position", "position", "slug"]
        verbose_name = _("artículo")
        verbose_name_plural = _("artículos")
        indexes = [
            models.Index(
                fields=["section", "position", "slug"],
                condition=models.Q(state="published"),
                name="article_published_section",
            ),
            models.Index(
                fields=["review_on"],
                condition=models.Q(state="published", review_on__isnull=False),
                name="article_review_due",
            ),
            models.Index(fields=["state", "-updated_at"], name="article_state_updated"),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def is_published(self) -> bool:
        return self.state == ArticleState.PUBLISHED

    @property
    def address(self) -> str:
        """The path of the article's page in the help centre, which the settings know (`ABSOLUTE_URL_OVERRIDES`)."""
        return str(self.get_absolute_url())  # type: ignore[attr-defined]

    @property
    def helped_percent(self) -> int | None:
        """The share of the people who said that the article helped; None if nobody answered."""
        total = self.yes_count + self.no_count
        return round(100 * self.yes_count / total) if total else None

    def published_text(self, language: str = "") -> "ArticleText | None":
        """Return the published text in `language` (the active one by default), or in another language; None if nothing
        is published. Lists should have `with_published_texts`."""
        return self._text("published_id", language)

    def latest_text(self, language: str = "") -> "ArticleText | None":
        """Return the text in `language`, or in another one, with whatever was written last. Lists should have
        `with_latest_texts`."""
        return self._text("latest_id", language)

    def _text(self, version: str, language: str) -> "ArticleText | None":
        wanted = language or (get_language() or "")[:2]
        texts = [text for text in self.texts.all() if getattr(text, version)]
        texts.sort(key=lambda text: (text.language != wanted, text.language != "es", text.language))
        return texts[0] if texts else None


class ArticleText(models.Model):
    """An article in one language: its latest version, and the one that readers see.

    `indexed_words` are the words that search has counted for this text, to take them off again.
    """

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(_("idioma"), max_length=5, choices=settings.LANGUAGES)
    latest = models.ForeignKey(
        "ArticleVersion", on_delete=models.RESTRICT, null=True, related_name="+", editable=False
    )
    published = models.ForeignKey(
        "ArticleVersion", on_delete=models.RESTRICT, null=True, blank=True, related_name="+", editable=False
    )
    indexed_words = models.TextField(default="", blank=True, editable=False)
    indexed_reach = models.PositiveSmallIntegerField(null=True, editable=False)

    class Meta:
        ordering: ClassVar = ["article", "-language"]  # Spanish before English
        verbose_name = _("texto de un artículo")
        verbose_name_plural = _("textos de artículos")
        constraints = [models.UniqueConstraint(fields=["article", "language"], name="article_text_language")]

    def __str__(self) -> str:
        return f"{self.article_id} {self.language}"

    @property
    def has_unpublished_changes(self) -> bool:
        return self.latest_id != self.published_id


class ArticleVersion(models.Model):
    """One version of an article's text in one language. Never changed once saved."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="versions")
    language = models.CharField(_("idioma"), max_length=5, choices=settings.LANGUAGES)
    number = models.PositiveIntegerField(_("número"))
    title = models.CharField(_("título"), max_length=TITLE)
    summary = models.CharField(_("resumen"), max_length=SUMMARY, blank=True)
    body = models.TextField(_("texto"))
    note = models.CharField(_("qué cambió"), max_length=200, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("autor"),
    )
    at = models.DateTimeField(_("guardada"), default=timezone.now)

    class Meta:
        ordering: ClassVar = ["article", "language", "-number"]
        verbose_name = _("versión de un artículo")
        verbose_name_plural = _("versiones de artículos")
        constraints = [
            models.UniqueConstraint(fields=["article", "language", "number"], name="article_version_number")
        ]

    def __str__(self) -> str:
        return f"{self.title} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the row. Raises `TypeError` for a row that is there already."""
        if not self._state.adding:
            raise TypeError("a version never changes; save a new one")
        super().save(*args, **kwargs)

    @property
    def minutes(self) -> int:
        return minutes_of(self.body)


class ArticleScope(models.Model):
    """Where an article fits: tickets for which all that is filled in is true. An article with several scopes fits
    where one of them does; without any it fits nowhere by itself.

    Processes, categories and stages are named by their keys, which stay when a new version of a process is published.
    """

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="scopes")
    department = models.ForeignKey(
        Department,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("departamento"),
    )
    process = models.SlugField(_("proceso"), max_length=60, blank=True, db_index=False)
    category = models.SlugField(_("categoría"), max_length=60, blank=True, db_index=False)
    stage = models.SlugField(_("etapa"), max_length=60, blank=True, db_index=False)

    objects = ScopeQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["article", "id"]
        verbose_name = _("dónde encaja un artículo")
        verbose_name_plural = _("dónde encajan los artículos")
        indexes = [models.Index(fields=["process", "category"], name="article_scope_process")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(department__isnull=False) | ~models.Q(process=""),
                name="article_scope_names_something",
            )
        ]

    def __str__(self) -> str:
        return f"{self.article_id} {self.department_id or ''} {self.topic} {self.stage}"

    @property
    def topic(self) -> str:
        """The key of the topic in the portal, `process.category`; only the process if there is no category."""
        return f"{self.process}.{self.category}" if self.process and self.category else self.process


class ArticleRedirect(models.Model):
    """An earlier address of an article, which leads to the present one."""

    slug = models.SlugField(_("dirección anterior"), unique=True, max_length=SLUG)
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="redirects")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("dirección anterior")
        verbose_name_plural = _("direcciones anteriores")

    def __str__(self) -> str:
        return self.slug


class ArticleChange(models.Model):
    """One thing that was done to an article. Written once. `data` has keys and values, never text that people wrote."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="changes")
    kind = models.CharField(_("qué pasó"), max_length=10, choices=ChangeKind)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    data: Any = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    at = models.DateTimeField(_("cuándo"), default=timezone.now)

    class Meta:
        ordering: ClassVar = ["article", "-id"]
        verbose_name = _("cambio de un artículo")
        verbose_name_plural = _("cambios de artículos")

    def __str__(self) -> str:
        return f"{self.article_id} {self.kind}"


class ReviewRequest(models.Model):
    """Somebody asks a colleague to read an article before it is published, or again. Open until `answered_at`."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="review_requests")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="review_requests"
    )
    note = models.CharField(_("qué revisar"), max_length=REVIEW_NOTE, blank=True)
    at = models.DateTimeField(_("pedida"), default=timezone.now)
    answer = models.CharField(_("respuesta"), max_length=REVIEW_NOTE, blank=True)
    answered_at = models.DateTimeField(_("respondida"), null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = _("revisión pedida")
        verbose_name_plural = _("revisiones pedidas")
        constraints = [
            models.UniqueConstraint(
                fields=["reviewer", "article"],
                condition=models.Q(answered_at=None),
                name="one_open_review_of_an_article",
            )
        ]

    def __str__(self) -> str:
        return f"{self.article_id} → {self.reviewer_id}"
