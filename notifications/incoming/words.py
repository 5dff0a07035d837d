"""Find what a mail says: its new words, from HTML or from plain text, and the pictures that stand among them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from . import folding, markup, quoting
from .fingerprints import Fingerprint
from .folding import Folded
from .markup import PICTURE, Picture
from .mime import ReadMail

MAX_LINES = 8_000


@dataclass(frozen=True)
class Words:
    """What a mail says. `full` is all of it; pictures stand in `folded.visible` as `markup.PICTURE`."""

    folded: Folded
    full: str
    pictures: Sequence[Picture] = field(default_factory=tuple)
    is_forward: bool = False

    @property
    def visible(self) -> str:
        """The new words without pictures."""
        return without_pictures(self.folded.visible)


def words_of(mail: ReadMail, *, sent: Fingerprint | None = None, answers_us: bool = False) -> Words:
    """Return what the mail says. Its HTML is taken if it says something, for it has paragraphs, links and pictures in
    their places; its plain text was wrapped by a program."""
    plain = _lines_of_text(mail)
    rich = markup.lines_of(mail.html) if mail.html else None
    lines = rich.lines if rich and _says_something(rich.lines) else plain
    pictures = rich.pictures if rich and lines is rich.lines else []
    forwards = quoting.is_forward(lines, mail.subject)
    found = folding.fold(lines, sent=sent, answers_us=answers_us, is_forward=forwards)
    if lines is not plain and found.why == "nothing" and _says_something(plain):
        # Programs mark quotes in the plain text that they leave unmarked in HTML.
        other = folding.fold(plain, sent=sent, answers_us=answers_us, is_forward=forwards)
        if other.quoted and not PICTURE.search(found.visible):
            found = other
    return Words(found, _full(lines), tuple(pictures), forwards)


def without_pictures(text: str) -> str:
    """Return `text` without the signs that stand for pictures."""
    lines = [(PICTURE.sub("", line), line) for line in text.split("\n")]
    return "\n".join(kept.rstrip() for kept, line in lines if kept.strip() or not PICTURE.search(line)).strip(
        "\n"
    )


def _says_something(lines: Sequence[str]) -> bool:
    return any(quoting.bare(line) for line in lines)


def _full(lines: Sequence[str]) -> str:
    return "\n".join(line for line in lines if line not in (markup.CUT, markup.FORWARD)).strip("\n")


def _lines_of_text(mail: ReadMail) -> list[str]:
    text = mail.text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    lines = text.split("\n")[:MAX_LINES]
    return _unflowed(lines) if mail.is_flowed else lines


def _unflowed(lines: Sequence[str]) -> list[str]:
    """Return the lines of a `format=flowed` text with those joined that a program had wrapped (RFC 3676)."""
    out: list[str] = []
    goes_on = False
    for line in lines:
        depth = len(line) - len(line.lstrip(">"))
        text = line[depth:].removeprefix(" ")
        marks = "> " * depth
        if goes_on and out and out[-1].startswith(marks) and text != "-- ":
            out[-1] += text.rstrip("\n")
        else:
            out.append(marks + text)
        goes_on = text.endswith(" ") and text != "-- "
    return [line if line.endswith("-- ") else line.rstrip() for line in out]
