"""Pictures and other files of articles."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .article import Article


def article_file_path(file: "ArticleFile", name: str) -> str:
    """Return the path of the file in storage. Made from the uuid alone: the name given by people never reaches it."""
    return f"articles/{file.uuid.hex[:2]}/{file.uuid.hex}"


class ArticleFile(models.Model):
    """A file that passed inspection. The text names a picture by its `name`: `![qué se ve](entrar.png "pie")`.

    Who may read the article may download its files. Until `file` is named the row is being written (see
    `tickets.stored_files`), and no page shows it.
    """

    class Scan(models.TextChoices):
        CLEAN = "clean", _("Limpio")
        PENDING = "pending", _("En revisión")
        INFECTED = "infected", _("Retenido")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="files")
    uploader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    name = models.CharField(_("nombre"), max_length=120)
    kind = models.CharField(_("clase"), max_length=10)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(_("tamaño"))
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    """Of a picture, in pixels, so that the page keeps its place; 0 for other files."""
    file = models.FileField(upload_to=article_file_path, max_length=120, blank=True)
    scan = models.CharField(max_length=10, choices=Scan, default=Scan.CLEAN)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["article", "id"]
        verbose_name = _("archivo de un artículo")
        verbose_name_plural = _("archivos de artículos")
        constraints = [models.UniqueConstraint(fields=["article", "name"], name="article_file_name")]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(scan="pending"), name="article_file_not_scanned"),
            models.Index(fields=["id"], condition=models.Q(file=""), name="article_file_unfinished"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_image(self) -> bool:
        return self.kind == "image"

    @property
    def is_held(self) -> bool:
        """Whether the file may not be downloaded: the scanner has given no verdict yet, or found malware."""
        return self.scan != self.Scan.CLEAN

    @property
    def is_infected(self) -> bool:
        return self.scan == self.Scan.INFECTED
