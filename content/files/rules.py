"""The limits on attached files, and the sentence that states them (S3.8: up to three files, T4)."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .formats import FORMATS, FileKind, Format
from .streams import MB


@dataclass(frozen=True)
class FileRules:
    """The kinds, number and size of files that may be attached together. `max_bytes` is the limit of each file."""

    kinds: Collection[str] = (FileKind.IMAGE, FileKind.DOCUMENT)
    max_files: int = 5
    max_bytes: int = 10 * MB

    def __post_init__(self) -> None:
        object.__setattr__(self, "kinds", frozenset(FileKind(kind) for kind in self.kinds))

    def __str__(self) -> str:
        return self.sentence()

    @property
    def accept(self) -> str:
        """The accepted extensions as the `accept` attribute of a file input: «.png,.jpg»."""
        return ",".join(f".{extension}" for known in self._formats() for extension in known.extensions)

    def allows(self, known: Format) -> bool:
        return known.kind in self.kinds

    def sentence(self) -> str:
        """Return the limits in the active language: «Hasta 3 archivos de 10 MB: imagen, video, PDF, Word o ZIP»."""
        return _("Hasta {files} de {size}: {formats}").format(
            files=_files(self.max_files), size=filesize(self.max_bytes), formats=self.formats()
        )

    def formats(self) -> str:
        """Return the accepted formats in the active language: «imagen, video, PDF, Word o ZIP».

        Images, videos and text are named by kind, other files by format.
        """
        kinds = {FileKind.IMAGE: _("imagen"), FileKind.VIDEO: _("video"), FileKind.TEXT: _("texto")}
        words = list(dict.fromkeys(filter(None, (kinds.get(f.kind, f.word) for f in self._formats()))))
        if len(words) < 2:
            return "".join(words)
        return _("{items} o {last}").format(items=", ".join(words[:-1]), last=words[-1])

    def _formats(self) -> list[Format]:
        return [known for known in FORMATS if self.allows(known)]


def filesize(size: int | None) -> str:
    """Return a size in bytes as people read it: «482 kB», «1,2 MB». Units are decimal, as in our limits; the decimal
    sign is that of the active language."""
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
