"""What one process accepts, and how that is said to a person (S3.8: up to three files, T4)."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .formats import FORMATS, FileKind, Format
from .streams import MB


@dataclass(frozen=True)
class FileRules:
    """The `[files]` table of a process definition, never above the desk's own limits. `max_bytes` is per file."""

    kinds: Collection[str] = (FileKind.IMAGE, FileKind.DOCUMENT)
    max_files: int = 5
    max_bytes: int = 10 * MB

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinds", frozenset(FileKind(kind) for kind in self.kinds))

    def __str__(self) -> str:
        return self.sentence()

    @property
    def accept(self) -> str:
        """For `<input type="file" accept="…">`."""
        return ",".join(f".{extension}" for known in self._formats() for extension in known.extensions)

    def allows(self, known: Format) -> bool:
        return known.kind in self.kinds

    def sentence(self) -> str:
        """«Hasta 3 archivos de 10 MB: imagen, video, PDF, Word o ZIP», in the reader's language."""
        return _("Hasta {files} de {size}: {formats}").format(
            files=_files(self.max_files), size=filesize(self.max_bytes), formats=self.formats()
        )

    def formats(self) -> str:
        """«imagen, video, PDF, Word o ZIP»: kinds where everybody knows them, else the formats' names."""
        kinds = {FileKind.IMAGE: _("imagen"), FileKind.VIDEO: _("video"), FileKind.TEXT: _("texto")}
        words = list(dict.fromkeys(filter(None, (kinds.get(f.kind, f.word) for f in self._formats()))))
        if len(words) < 2:
            return "".join(words)
        return _("{items} o {last}").format(items=", ".join(words[:-1]), last=words[-1])

    def _formats(self) -> list[Format]:
        return [known for known in FORMATS if self.allows(known)]


def filesize(size: int | None) -> str:
    """«482 kB», «1,2 MB»: decimal units, as operating systems and our limits count; the comma is the language's."""
    amount = max(float(size or 0), 0.0)
    if amount < 1000:
        return f"{int(amount)}\N{NO-BREAK SPACE}B"
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.5 or unit == "GB":
            break
    amount = round(amount, 0 if unit == "kB" or amount >= 99.95 else 1)
    return f"{number_format(amount, decimal_pos=0 if amount == int(amount) else 1)}\N{NO-BREAK SPACE}{unit}"


def _files(count: int) -> str:
    return ngettext("{count} archivo", "{count} archivos", count).format(count=count)
