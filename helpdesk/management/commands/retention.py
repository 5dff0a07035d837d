"""Say what the retention of the processes will delete."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk.files_stay import why_files_stay
from tickets.workflow import retention

LABELS = {
    "tickets": gettext_lazy("tickets enteros"),
    "files": gettext_lazy("archivos de tickets"),
    "mails": gettext_lazy("correos de tickets"),
    "events": gettext_lazy("historiales de tickets"),
}


class Command(BaseCommand):
    help = "Dice qué borrará la conservación de cada proceso ([retention]). Con --delete lo borra ya."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--delete", action="store_true", help="borra ahora todo lo que venció")

    def handle(self, *args: Any, delete: bool, **options: Any) -> None:
        if delete and (reason := why_files_stay()):
            raise CommandError(reason)
        forecasts = retention.forecast()
        if not forecasts:
            self.stdout.write(_("Ningún proceso borra nada: ninguno tiene [retention]."))
            return
        for forecast in forecasts:
            kept = forecast.process.definition.retention
            self.stdout.write(f"{forecast.process.key}")
            for part, count in forecast.tickets_of.items():
                if days := getattr(kept, part):
                    line = _("  %(what)s: a los %(days)d días; vencidos ahora: %(count)d")
                    self.stdout.write(line % {"what": LABELS[part], "days": days, "count": count})
        if delete:
            total = retention.sweep_all()
            self.stdout.write(_("Borrado: %s") % total)
