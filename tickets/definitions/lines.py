"""Find the line of each key and value in a TOML file, so that an error can name it.

`tomllib` returns values without their positions. This scanner reads the same text again and records the positions. It
only gets text that `tomllib` has accepted, so it need not check the syntax.
"""

import re
import tomllib
from bisect import bisect_right

Path = tuple[str | int, ...]

_BLANK = re.compile(r"[ \t]*")
_SKIPPED = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_NAME = re.compile(r"[A-Za-z0-9_\-]+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'")
_STRING = re.compile(
    r"\"\"\"(?:[^\\]|\\.)*?\"\"\"\"{0,2}|'''.*?''''{0,2}|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'", re.DOTALL
)
_PLAIN = re.compile(r"[^,\]}\n#]*")


class LineIndex:
    """Line numbers (from 1) by path. A path names a value by keys and list positions: `("actions", 3, "to")`."""

    def __init__(self, source: str) -> None:
        self._source, self._at = source, 0
        self._lines: dict[Path, int] = {}
        self._tables: dict[Path, int] = {}
        """The number of tables that each `[[array]]` has so far, by its path."""
        self._starts = [0, *(match.end() for match in re.finditer("\n", source))]
        self._scan()

    def line(self, path: Path) -> int:
        """Return the line of `path`, else of the nearest table or list that contains it, else 1."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return 1

    def _scan(self) -> None:
        section: Path = ()
        self._skip(_SKIPPED)
        while self._at < len(self._source):
            if self._source[self._at] == "[":
                section = self._header()
            else:
                self._pair(section)
            self._skip(_SKIPPED)

    def _header(self) -> Path:
        here, is_array = self._at, self._source.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        path: Path = ()
        names = self._dotted()
        for position, name in enumerate(names, start=1):
            path = (*path, name)
            self._remember(path, here)
            if is_array and position == len(names):
                self._tables[path] = self._tables.get(path, 0) + 1
            if path in self._tables:  # keys that follow belong to the last table of this array
                path = (*path, self._tables[path] - 1)
        self._at += 2 if is_array else 1
        self._remember(path, here)
        return path

    def _pair(self, section: Path) -> None:
        here = self._at
        path = section
        for name in self._dotted():
            path = (*path, name)
            self._remember(path, here)
        self._at += 1  # =
        self._skip(_BLANK)
        self._value(path)

    def _dotted(self) -> list[str]:
        names: list[str] = []
        while True:
            self._skip(_BLANK)
            match = _NAME.match(self._source, self._at)
            if match is None:
                raise ValueError("this is not the TOML that tomllib accepted")
            names.append(_bare(match[0]))
            self._at = match.end()
            self._skip(_BLANK)
            if self._source[self._at] != ".":
                return names
            self._at += 1

    def _value(self, path: Path) -> None:
        match self._source[self._at]:
            case "[":
                self._members(path, "]")
            case "{":
                self._members(path, "}")
            case '"' | "'":
                self._skip(_STRING)
            case _:
                self._skip(_PLAIN)

    def _members(self, path: Path, closing: str) -> None:
        """Scan the content of a list (values, recorded by position) or of an inline table (pairs, recorded by name)."""
        self._at += 1
        number = 0
        while True:
            self._skip(_SKIPPED)
            if self._source[self._at] == closing:
                break
            if self._source[self._at] == ",":
                self._at += 1
                continue
            if closing == "}":
                self._pair(path)
            else:
                self._remember((*path, number), self._at)
                self._value((*path, number))
                number += 1
        self._at += 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._source, self._at)
        if match is not None:
            self._at = match.end()

    def _remember(self, path: Path, position: int) -> None:
        self._lines.setdefault(path, bisect_right(self._starts, position))


def _bare(name: str) -> str:
    """Return a key without its quotes and with its escapes resolved."""
    if name[0] not in "\"'":
        return name
    return next(iter(tomllib.loads(f"{name} = 0")))
