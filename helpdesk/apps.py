from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HelpdeskConfig(AppConfig):
    name = "helpdesk"
    verbose_name = _("Vigilancia")

    def ready(self) -> None:
        from . import checks, receivers  # noqa: F401  # connects them
        from .watching import runs  # noqa: F401  # connects its receivers
