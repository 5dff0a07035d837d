"""Processes, their versions, which never change, and their categories. `tickets.definitions` parses their text."""

from typing import Any

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import Department, LocalisedName

from ..definitions import diagram
from ..definitions.definition import Definition
from ..definitions.loading import definition_of
from ..enums import CaseKind, Severity
from .frozen import Frozen


class Process(models.Model):
    """One way in which the organisation handles requests. A ticket is filed under the current version and keeps it."""

    key = models.SlugField(_("clave"), unique=True, max_length=60)
    is_active = models.BooleanField(_("se puede elegir"), default=True)
    position = models.PositiveSmallIntegerField(_("orden"), default=0)
    current = models.ForeignKey(
        "ProcessVersion",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("versión vigente"),
    )

    policy = models.ForeignKey(
        "PolicyVersion",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("plazos de la mesa"),
    )
    """Null as long as the targets of the file are in force."""

    class Meta:
        ordering = ["position", "key"]
        verbose_name = _("proceso")
        verbose_name_plural = _("procesos")

    def __str__(self) -> str:
        return str(self.definition.name) if self.current_id else self.key

    @property
    def definition(self) -> Definition:
        """The definition of the current version. Raises `ValueError` if none is published."""
        if self.current_id is None:
            raise ValueError(f"process {self.key} has no published version")
        return ProcessVersion.objects.definition(self.current_id)


class ProcessVersionManager(models.Manager["ProcessVersion"]):
    """Reads versions, and keeps the definition of each in memory: it never changes, and most pages need some.

    Django keeps content types in the same way.
    """

    def __init__(self) -> None:
        super().__init__()
        self._definitions: dict[int, Definition] = {}
        self._maps: dict[int, dict[str, Any] | None] = {}
        self._processes: dict[int, int] = {}

    def definition(self, pk: int) -> Definition:
        """Return the definition of the version with this id. Takes a query once for each process of the server."""
        definition = self._definitions.get(pk)
        if definition is None:
            [version] = self.filter(pk=pk)
            definition = version.definition
            self._maps[pk] = diagram.current(version.diagram, definition)
            self._processes[pk] = version.process_id
            self._definitions[pk] = definition
        return definition

    def process_of(self, pk: int) -> int:
        """Return the id of the process of the version with this id. Takes no query beyond that of `definition`."""
        self.definition(pk)
        return self._processes[pk]

    def layout(self, pk: int, audience: str) -> diagram.Layout | None:
        """Return the layout of the version's map for "staff" or "customer", None if it cannot be drawn. Takes no query
        beyond that of `definition`."""
        self.definition(pk)
        return diagram.layout_from(self._maps[pk], audience)

    def forget(self, pk: int) -> None:
        """Drop the definition kept under this id, which another row had before (after a rollback on SQLite)."""
        self._definitions.pop(pk, None)
        self._maps.pop(pk, None)
        self._processes.pop(pk, None)


class ProcessVersion(Frozen):
    """One published version of a process: its number and the exact text of its file. Never changed once saved."""

    process = models.ForeignKey(
        Process, on_delete=models.PROTECT, related_name="versions", verbose_name=_("proceso")
    )
    number = models.PositiveIntegerField(_("número"))
    source = models.TextField(_("definición"))
    created_at = models.DateTimeField(_("publicada"), auto_now_add=True)
    diagram = models.JSONField(_("mapa"), null=True, blank=True, editable=False)
    """Where the map's boxes and lines stand (`definitions.diagram`). Null in versions that are older than the map, and
    where it could not be drawn: `objects.layout` then draws it once for each process of the server."""

    objects = ProcessVersionManager()

    class Meta:
        ordering = ["process", "-number"]
        verbose_name = _("versión de proceso")
        verbose_name_plural = _("versiones de proceso")
        constraints = [models.UniqueConstraint(fields=["process", "number"], name="process_version_number")]

    def __str__(self) -> str:
        return f"{self.process_id} v{self.number}"

    @property
    def definition(self) -> Definition:
        return definition_of(self.source)


class Category(LocalisedName):
    """The kind of problem that a requester picks first («Tipo de problema»). Publishing creates it from the process
    file; afterwards administrators edit it."""

    process = models.ForeignKey(
        Process, on_delete=models.PROTECT, related_name="categories", verbose_name=_("proceso")
    )
    key = models.SlugField(_("clave"), max_length=60)
    description = models.CharField(_("descripción"), max_length=200, blank=True)
    description_en = models.CharField(_("descripción en inglés"), max_length=200, blank=True)
    notice = models.TextField(
        _("aviso"), blank=True, help_text=_("Se muestra antes de escribir los detalles.")
    )
    notice_en = models.TextField(_("aviso en inglés"), blank=True)
    icon = models.CharField(_("icono"), max_length=40, default="question-circle")
    department = models.ForeignKey(
        Department, on_delete=models.PROTECT, null=True, blank=True, verbose_name=_("departamento que recibe")
    )
    case_kind = models.CharField(
        _("clase de caso"), max_length=12, choices=CaseKind, default=CaseKind.PROBLEM
    )
    severity = models.CharField(
        _("severidad inicial"), max_length=10, choices=Severity, default=Severity.MEDIUM
    )
    synonyms = models.TextField(
        _("sinónimos"),
        blank=True,
        help_text=_("Otras palabras con las que se busca, además de las del proceso."),
    )
    position = models.PositiveSmallIntegerField(_("orden"), default=0)
    is_active = models.BooleanField(_("se puede elegir"), default=True)

    class Meta:
        ordering = ["process__position", "position", "name"]
        verbose_name = _("categoría")
        verbose_name_plural = _("categorías")
        # A renamed category leaves its retired row behind, for the tickets that were filed under the old name.
        constraints = [
            models.UniqueConstraint(
                fields=["process", "key"],
                condition=models.Q(is_active=True),
                name="category_active_key_per_process",
                violation_error_message=_("Otra categoría con esa clave ya se puede elegir."),
            )
        ]

    @property
    def localised_description(self) -> str:
        return self.description_en if self.description_en and get_language() == "en" else self.description

    @property
    def localised_notice(self) -> str:
        return self.notice_en if self.notice_en and get_language() == "en" else self.notice
