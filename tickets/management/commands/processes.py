"""Manage process files from the command line; docs/processes.md explains how."""

import codecs
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets.definitions.definition import Definition
from tickets.definitions.loading import library
from tickets.definitions.parser import MAX_SOURCE
from tickets.definitions.problems import DefinitionError
from tickets.models import Process, ProcessVersion
from tickets.workflow.advice import advice_on
from tickets.workflow.publishing import Publication, check_for_desk, put_in_use


class Command(BaseCommand):
    help = "Lista, revisa, publica y exporta procesos, o instala los que trae la mesa."

    def add_arguments(self, parser: CommandParser) -> None:
        does = parser.add_subparsers(
            dest="does", required=True, metavar="list | check | publish | export | …"
        )
        does.add_parser("list", help="los procesos publicados y los de la biblioteca")
        check = does.add_parser("check", help="revisa un archivo sin publicarlo")
        check.add_argument("file", help="un archivo .toml, o - para leer la entrada estándar")
        put = does.add_parser("publish", help="publica un archivo como versión nueva")
        put.add_argument("file", help="un archivo .toml, o - para leer la entrada estándar")
        export = does.add_parser("export", help="escribe el archivo de un proceso en la salida estándar")
        export.add_argument("key", help="la clave del proceso")
        export.add_argument("--number", type=int, help="otra versión que la vigente")
        install = does.add_parser("install-library", help="publica los procesos de la biblioteca que falten")
        install.add_argument(
            "--update", action="store_true", help="publica también los que la mesa tiene con otro texto"
        )

    def handle(self, *args: Any, does: str, **options: Any) -> None:
        match does:
            case "list":
                self.list_all()
            case "check":
                self.check_file(options["file"])
            case "publish":
                self.publish(options["file"])
            case "export":
                self.export(options["key"], options["number"])
            case "install-library":
                self.install(update=options["update"])

    def list_all(self) -> None:
        processes = Process.objects.select_related("current").annotate(tickets=Count("versions__tickets"))
        shipped = library()
        for process in processes:
            version = process.current
            state = "" if process.is_active else _(" · no se puede elegir")
            same = process.key in shipped and version is not None and version.source == shipped[process.key]
            origin = _(" · igual al de la biblioteca") if same else ""
            tickets = ngettext("%(n)d ticket", "%(n)d tickets", process.tickets) % {"n": process.tickets}
            number = version.number if version else 0
            self.stdout.write(f"{process.key}  v{number}  {process}  ({tickets}){origin}{state}")
        for key in sorted(shipped.keys() - {process.key for process in processes}):
            self.stdout.write(_("%(key)s  en la biblioteca, sin instalar") % {"key": key})

    def check_file(self, name: str) -> None:
        source = self.read(name)
        try:
            definition = check_for_desk(source)
        except DefinitionError as error:
            raise CommandError(self.complaint(name, error)) from error
        facts = {
            "name": definition.name,
            "stages": len(definition.stages),
            "actions": len(definition.actions),
            "categories": len(definition.categories),
            "fields": len(definition.fields),
        }
        self.stdout.write(
            _("Está bien: «%(name)s», %(stages)d etapas, %(actions)d acciones, %(categories)d categorías,"
              " %(fields)d campos.") % facts
        )  # fmt: skip
        self.advise(source, definition)

    def advise(self, source: str, definition: Definition) -> None:
        """Print the advice on a good file."""
        if advice := advice_on(source, definition):
            self.stdout.write(_("Conviene revisar:"))
            for item in advice:
                self.stdout.write(f"  {item}")

    def publish(self, name: str) -> None:
        source = self.read(name)
        try:
            done = put_in_use(source)
        except DefinitionError as error:
            raise CommandError(self.complaint(name, error)) from error
        facts = {"key": done.version.process.key, "number": done.version.number}
        if not done.is_new:
            self.stdout.write(_("%(key)s ya está en la versión %(number)d con este mismo texto.") % facts)
            return
        self.stdout.write(
            _("%(key)s: publicada la versión %(number)d. Los tickets abiertos siguen con la suya.") % facts
        )
        self.tell(done)

    def tell(self, done: Publication) -> None:
        """Print what the publication changes for people."""
        for change in done.changes:
            self.stdout.write(f"  {change}")

    def export(self, key: str, number: int | None) -> None:
        version = (
            ProcessVersion.objects.filter(process__key=key, **({"number": number} if number else {}))
            .order_by("-number")
            .first()
        )
        if version is None:
            raise CommandError(_("No hay un proceso «%(key)s» con esa versión.") % {"key": key})
        self.stdout.write(version.source, ending="")

    def install(self, *, update: bool) -> None:
        there = {process.key: process for process in Process.objects.select_related("current")}
        for key, source in library().items():
            process = there.get(key)
            current = process.current if process else None
            if current is not None and current.source == source:
                self.stdout.write(_("%(key)s: ya estaba instalado.") % {"key": key})
            elif current is not None and not update:
                self.stdout.write(_("%(key)s: la mesa tiene su propia versión; no se toca.") % {"key": key})
            else:
                done = put_in_use(source)
                facts = {"key": key, "number": done.version.number}
                self.stdout.write(_("%(key)s: instalada la versión %(number)d.") % facts)
                self.tell(done)

    @staticmethod
    def read(name: str) -> str:
        """Return the text of the file, or of standard input for `-`. Refuses what cannot be a process file, and reads
        no more of it than a process file may have."""
        try:
            content = _bytes_of(name)
        except FileNotFoundError as error:
            raise CommandError(_("No existe el archivo %(name)s.") % {"name": name}) from error
        except IsADirectoryError as error:
            raise CommandError(_("%(name)s es una carpeta: di qué archivo.") % {"name": name}) from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise CommandError(
                _("No se puede leer %(name)s: %(reason)s.") % {"name": name, "reason": reason}
            ) from error
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise CommandError(_("%(name)s está en UTF-16: guárdalo como UTF-8.") % {"name": name})
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise CommandError(_("%(name)s no está en UTF-8.") % {"name": name}) from error
        if "\0" in text:
            raise CommandError(_("%(name)s no es un archivo de texto.") % {"name": name})
        if not text.strip():
            raise CommandError(_("%(name)s está vacío.") % {"name": name})
        return text.replace("\r\n", "\n")

    @staticmethod
    def complaint(name: str, error: DefinitionError) -> str:
        count = len(error.problems)
        head = ngettext("%(name)s tiene %(count)d problema:", "%(name)s tiene %(count)d problemas:", count)
        lines = "\n".join(f"  {problem}" for problem in error.problems)
        return f"{head % {'name': name, 'count': count}}\n{lines}"


MOST_BYTES = 4 * MAX_SOURCE + 1  # UTF-8 needs up to four bytes for a character


def _bytes_of(name: str) -> bytes:
    if name != "-":
        with Path(name).open("rb") as file:
            return file.read(MOST_BYTES)
    source = getattr(sys.stdin, "buffer", None)
    return source.read(MOST_BYTES) if source else sys.stdin.read(MAX_SOURCE + 1).encode()
