"""Targets of a process as the desk has edited them. Until it does, those of the process file are in force."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..definitions.definition import Targets
from ..definitions.targets import read_targets
from .frozen import Frozen
from .process import Process


class PolicyVersionManager(models.Manager["PolicyVersion"]):
    """Reads versions, and keeps the targets of each in memory: they never change."""

    def __init__(self) -> None:
        super().__init__()
        self._targets: dict[int, Targets] = {}

    def targets(self, pk: int) -> Targets:
        """Return the targets of the version with this id. Takes a query once for each process of the server."""
        if pk not in self._targets:
            [version] = self.filter(pk=pk)
            self._targets[pk] = read_targets(version.targets)
        return self._targets[pk]

    def forget(self, pk: int) -> None:
        """Drop what is kept under this id, which another row had before (after a rollback on SQLite)."""
        self._targets.pop(pk, None)


class PolicyVersion(Frozen):
    """What a process promises from a moment on, as `Targets.as_json` writes it. Never changed once saved: clocks say
    under which version their target was chosen. The first version is a copy of the file's targets."""

    process = models.ForeignKey(
        Process, on_delete=models.PROTECT, related_name="policies", verbose_name=_("proceso")
    )
    number = models.PositiveIntegerField(_("número"))
    targets = models.JSONField(_("plazos"))
    created_at = models.DateTimeField(_("vigente desde"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("autor"),
    )

    objects = PolicyVersionManager()

    class Meta:
        ordering = ["process", "-number"]
        verbose_name = _("versión de plazos")
        verbose_name_plural = _("versiones de plazos")
        constraints = [models.UniqueConstraint(fields=["process", "number"], name="policy_version_number")]

    def __str__(self) -> str:
        return f"{self.process_id} v{self.number}"

    @property
    def as_targets(self) -> Targets:
        return read_targets(self.targets)
