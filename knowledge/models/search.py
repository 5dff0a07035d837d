"""The index of the published texts, synonyms, and what people looked for in vain (decision 45)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .article import ArticleText

WORD = 40


class Stem(models.Model):
    """A stem, and how many published texts have it."""

    text = models.CharField(max_length=WORD, unique=True)
    texts = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.text


class Posting(models.Model):
    """A stem in a published text. `impact`, from 1 to 1000, says how much the text is about it; `reach` is that of the
    article's audience. The index finds the texts with the greatest impact that a person may read, however many there
    are."""

    stem = models.ForeignKey(Stem, on_delete=models.CASCADE, related_name="postings", db_index=False)
    text = models.ForeignKey(ArticleText, on_delete=models.CASCADE, related_name="postings", db_index=False)
    reach = models.PositiveSmallIntegerField()
    impact = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["text", "stem"], name="posting_once")]
        indexes = [models.Index(fields=["stem", "reach", "-impact"], name="posting_greatest_impact")]

    def __str__(self) -> str:
        return f"{self.stem_id} {self.text_id} {self.impact}"


class Word(models.Model):
    """A word of the published texts, folded, by which typing errors are corrected. It counts how many texts of each
    reach have it: nobody is told a word that stands only in texts that they may not read."""

    text = models.CharField(max_length=WORD, unique=True)
    public = models.PositiveIntegerField(default=0)
    customers = models.PositiveIntegerField(default=0)
    internal = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.text


class WordPart(models.Model):
    """Three letters of a word, with the word's length: words with a typing error still have most of them."""

    letters = models.CharField(max_length=3)
    length = models.PositiveSmallIntegerField()
    word = models.ForeignKey(Word, on_delete=models.CASCADE, related_name="parts")

    class Meta:
        indexes = [models.Index(fields=["letters", "length"], name="word_part_letters")]

    def __str__(self) -> str:
        return f"{self.letters} {self.word_id}"


class SynonymGroup(models.Model):
    """Words and short phrases that mean the same to those who search: «clave, contraseña, password»."""

    words = models.CharField(_("palabras"), max_length=300, help_text=_("Separadas por comas."))
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    edited_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["words"]
        verbose_name = _("sinónimos")
        verbose_name_plural = _("sinónimos")

    def __str__(self) -> str:
        return self.words

    @property
    def phrases(self) -> list[str]:
        return [phrase for each in self.words.split(",") if (phrase := each.strip())]


class SynonymKey(models.Model):
    """The stems of a word or phrase of a group, by which a search finds the group."""

    group = models.ForeignKey(SynonymGroup, on_delete=models.CASCADE, related_name="keys")
    key = models.CharField(max_length=130, db_index=True)

    def __str__(self) -> str:
        return self.key


class SearchMiss(models.Model):
    """Words with which people found nothing, and how often. Never what looks like a name, an address or a number."""

    query = models.CharField(_("búsqueda"), max_length=60, unique=True)
    count = models.PositiveIntegerField(_("veces"), default=1)
    last_at = models.DateTimeField(_("la última"), default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-count", "-last_at"]
        verbose_name = _("búsqueda sin resultados")
        verbose_name_plural = _("búsquedas sin resultados")
        indexes = [models.Index(fields=["-count", "-last_at"], name="search_miss_most")]

    def __str__(self) -> str:
        return f"{self.query} ({self.count})"
