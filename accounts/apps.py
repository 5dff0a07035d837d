from typing import Any

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils.translation import gettext_lazy as _

from content import sorting


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Personas")

    def ready(self) -> None:
        from . import receivers  # noqa: F401  # importing connects them

        connection_created.connect(register_collation, dispatch_uid="accounts.register_collation")


def register_collation(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Give each new connection to SQLite the order of names. PostgreSQL keeps it in the database (migration 0003)."""
    if connection.vendor == "sqlite":
        sorting.register(connection.connection)
