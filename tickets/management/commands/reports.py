"""Manage the facts that reports are made from; docs/operations.md explains when."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets.facts.counting import count_all
from tickets.facts.filling import fill
from tickets.facts.verifying import verify

SHOWN = 20


class Command(BaseCommand):
    help = "Completa los hechos de los que salen los informes."

    def add_arguments(self, parser: CommandParser) -> None:
        does = parser.add_subparsers(dest="does", required=True, metavar="fill | count | verify")
        does.add_parser("fill", help="escribe las estancias que faltan de los tickets anteriores")
        does.add_parser("count", help="cuenta otra vez todos los días")
        does.add_parser("verify", help="compara lo guardado con los sucesos y los tickets")

    def handle(self, *args: Any, does: str, **options: Any) -> None:
        match does:
            case "fill":
                self.fill()
            case "count":
                self.count()
            case "verify":
                self.verify()

    def fill(self) -> None:
        filled = busy = 0
        for done in fill():
            filled, busy = done.filled, done.busy
            self.stdout.write(_filled(filled), ending="\r")
            self.stdout.flush()
        self.stdout.write(_filled(filled))
        if busy:
            self.stdout.write(
                ngettext(
                    "%(n)d ticket estaba en uso: vuelve a ejecutar la orden para completarlo.",
                    "%(n)d tickets estaban en uso: vuelve a ejecutar la orden para completarlos.",
                    busy,
                )
                % {"n": busy}
            )

    def count(self) -> None:
        days = 0
        for day in count_all():
            days += 1
            self.stdout.write(f"{day}", ending="\r")
            self.stdout.flush()
        self.stdout.write(ngettext("%(n)d día contado", "%(n)d días contados", days) % {"n": days})

    def verify(self) -> None:
        passed = failed = 0
        for finding in verify():
            passed += finding.is_right
            failed += not finding.is_right
            if not finding.is_right and failed <= SHOWN:
                self.stdout.write(_("%(what)s: lo guardado no es lo que resulta.") % {"what": finding.what})
        self.stdout.write(f"{passed} passed, {failed} failed")
        if failed:
            raise CommandError(
                _("Ejecuta `manage.py reports fill` y `manage.py reports count`, y vuelve a comparar.")
            )


def _filled(count: int) -> str:
    return ngettext("%(n)d ticket completado", "%(n)d tickets completados", count) % {"n": count}
