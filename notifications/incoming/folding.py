"""Find the new words of a mail, and fold what was quoted and the signature.

Two ways, in this order:

1. What we sent. The token of a reply names our mail, of which the outbox keeps the fingerprint of its words. Lines made
   of these words are quoted, in any language and however a mail program wrapped or indented them.
2. The rules of mail programs, in six languages (`quoting`).

If the rules leave nothing, everything is shown, unless the mail answers one of ours: then the answer is empty. Answers
written between the quoted lines are shown with what they answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from . import quoting
from .fingerprints import Fingerprint
from .markup import CUT, FORWARD


@dataclass(frozen=True)
class Folded:
    """The new words of a mail, what was folded, and why: `ours`, `rules`, or `nothing`."""

    visible: str
    quoted: str = ""
    signature: str = ""
    why: str = "nothing"

    @property
    def folded_lines(self) -> int:
        return sum(1 for line in f"{self.quoted}\n{self.signature}".splitlines() if line.strip())


def fold(
    lines: Sequence[str],
    *,
    sent: Fingerprint | None = None,
    answers_us: bool = False,
    is_forward: bool = False,
) -> Folded:
    """Return the new words of a mail, given as lines. `sent` is the fingerprint of the mail that it answers. With
    `answers_us`, nothing but quoted text is an empty answer. A forwarded mail is not folded: it is the message."""
    lines = [line.rstrip() for line in lines]
    full = _joined(lines)
    if is_forward:
        body, _quoted, signature = _without_signature(lines)
        return Folded(_joined(body) or full, "", signature, "rules" if signature else "nothing")
    own = _own_quote(lines, sent)
    start, end, why = own if own is not None else (*_quoted_range(lines), "rules")
    if start is None:
        new, below, quoted = lines, [], ""
        why = "nothing"
    else:
        new, below = lines[:start], lines[end:]
        quoted = _joined(lines[start:end])
    above, _none, signature = _without_signature(new)
    rest, _none, below_signature = _without_signature(below)
    # A signature below the quoted mail is no answer.
    visible = _joined([*above, "", *rest] if any(line.strip() for line in rest) else above)
    signature = signature or below_signature
    if visible:
        why = why if quoted else "rules" if signature else "nothing"
        return Folded(visible, quoted, signature, why)
    if answers_us and quoted:
        return Folded("", quoted, signature, why)
    return Folded(full)


def _joined(lines: Sequence[str]) -> str:
    kept = [line for line in lines if line not in (CUT, FORWARD)]
    while kept and not kept[0].strip():
        kept = kept[1:]
    while kept and not kept[-1].strip():
        kept = kept[:-1]
    out: list[str] = []
    for line in kept:
        if line.strip() or (out and out[-1].strip()):
            out.append(line)
    return "\n".join(out)


def _own_quote(lines: Sequence[str], sent: Fingerprint | None) -> tuple[int, int, str] | None:
    """Return where what we sent is quoted, with the lines that introduce it; None if it is not quoted."""
    if sent is None:
        return None
    found = sent.range_in([quoting.bare(line) for line in lines])
    if found is None:
        return None
    start, end = found
    return quoting.introduced_at(lines, start), _end_of_quote(lines, end), "ours"


def _end_of_quote(lines: Sequence[str], end: int) -> int:
    """Return the end of a quoted mail, with the blank and marked lines that follow."""
    while end < len(lines) and (not quoting.bare(lines[end]) or quoting.is_marked(lines[end])):
        end += 1
    return end


def _quoted_range(lines: Sequence[str]) -> tuple[int | None, int]:
    """Return where the quoted mail begins and ends; None if nothing was quoted, or if the answer stands between the
    quoted lines."""
    start = quoting.begins_at(lines)
    marked = _marked_blocks(lines, until=start[0] if start and not start[1] else len(lines))
    if start is not None:
        place, is_marked = start
        if not is_marked:  # everything below is quoted
            return place, len(lines)
    if not marked:
        return (start[0], len(lines)) if start is not None else (None, len(lines))
    if len(marked) > 1:
        return None, len(lines)
    first, last = marked[0]
    place = start[0] if start is not None and start[0] < first else first
    return quoting.introduced_at(lines, place), last


def _marked_blocks(lines: Sequence[str], *, until: int) -> list[tuple[int, int]]:
    """Return the blocks of lines marked with «>», as pairs of first and end. Blank lines do not end a block, nor does
    the end of a line that was too long for one that is marked."""
    blocks: list[tuple[int, int]] = []
    place = 0
    while place < until:
        if not quoting.is_marked(lines[place]):
            place += 1
            continue
        first = place
        last = place + 1
        while place < until and (_goes_on(lines, place) or not lines[place].strip()):
            if quoting.is_marked(lines[place]):
                last = place + 1
            place += 1
        blocks.append((first, last))
    return blocks


def _goes_on(lines: Sequence[str], place: int) -> bool:
    """Whether a line belongs to a marked block: it is marked, or stands directly between two marked lines."""
    if quoting.is_marked(lines[place]):
        return True
    between = (
        quoting.is_marked(lines[place - 1]) and place + 1 < len(lines) and quoting.is_marked(lines[place + 1])
    )
    return between and len(lines[place - 1]) > 40


def _without_signature(lines: Sequence[str]) -> tuple[list[str], str, str]:
    """Return the lines before the signature, an empty text, and the signature."""
    place = quoting.signature_at(lines)
    if place is None:
        return list(lines), "", ""
    return list(lines[:place]), "", _joined(lines[place:])
