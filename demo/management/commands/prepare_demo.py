import gc
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from demo.tables import make_tables, tell_apps


class Command(BaseCommand):
    help = "Creates the demo's tables and loads its data; data that are there already stay as they are."
    requires_system_checks = ()  # to save time: the web server, which starts in parallel, imports all views anyway

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DESK_DEMO:
            raise CommandError("This is not the demo. Run «make demo».")
        # Modules stay until the process ends; the collector would walk them all again and again.
        gc.freeze()
        if connection.introspection.table_names():
            call_command("migrate", verbosity=0, skip_checks=True)
        else:
            make_tables(connection)
            tell_apps(connection)
        self.stdout.write("migrated")
        self.stdout.flush()
        call_command("load_demo", with_history=True, skip_checks=True)
