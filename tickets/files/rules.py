"""What one process accepts, and how that is said to a person (S3.8: up to three files, T4)."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .formats import FORMATS, FileKind, Format
from .reading import MB


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
            files=_files(self.max_files), size=human_size(self.max_bytes), formats=self.formats()
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


def human_size(size: int) -> str:
    """«10 MB», «1,5 MB», «640 KB»."""
    for unit, name in ((1024 * MB, "GB"), (MB, "MB")):
        if size >= unit:
            value = round(size / unit, 1)
            return f"{number_format(value, 0 if value == int(value) else 1)}\N{NO-BREAK SPACE}{name}"
    return f"{number_format(max(1, round(size / 1024)), 0)}\N{NO-BREAK SPACE}KB"


def _files(count: int) -> str:
    return ngettext("{count} archivo", "{count} archivos", count).format(count=count)
