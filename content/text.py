"""Clean the text that people type, and render it as safe HTML.

Text is stored as written, without the characters that only do harm: NUL and other controls, lone surrogates, and marks
that reorder or hide text. Emoji, accents and ñ stay. HTML is only made by `render_markdown`, never stored.
"""

import re
import unicodedata
from functools import lru_cache
from html import unescape
from typing import Literal, TypeAlias

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from . import markdown
from .errors import DeskError

MAX_TEXT = 20_000
"""The maximum length of a message or long answer. Forms and verbs refuse longer texts; pages show them unformatted."""

# --- Cleaning ---------------------------------------------------------------------------------------------

# Control characters except tab and line breaks, lone surrogates, and noncharacters.
_CONTROL = "\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufff9-\ufffb\ufffe\uffff"
# Direction marks, which can make «gpj.exe» look like «exe.jpg», and invisible characters. The joiners U+200C and U+200D
# stay, because emoji and several scripts need them.
_HIDDEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u202a-\u202e\u2061-\u206f\u3164\ufeff\uffa0"
)
_UNWANTED = re.compile(f"[{_CONTROL}{_HIDDEN}\U000e0000-\U000e001f]")
# The word joiner U+2060 is invisible too. It stays in texts where it makes a mark literal (`markdown.LITERAL`).
_JOINER = re.compile(f"{markdown.LITERAL}(?![!-/:-@\\[-`{{-~])")
# Tag characters spell invisible text. They stay only after a black flag, where they make the flags of Scotland, Wales …
_TAGS = re.compile("(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007f]+")
_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_BLANK_START = re.compile(r"(?:[^\S\n]*\n)*(?: (?=\S))?")  # one space is no indentation

MAX_MARKS = 30
"""The maximum number of combining marks in a row, as in the Stream-Safe Text Format of Unicode (UAX #15)."""


class TextTooLong(DeskError):
    """The text is over its limit. It is refused and not cut, so that the person decides what to leave out."""

    def __init__(self, limit: int, length: int) -> None:
        self.limit = limit
        self.length = length
        message = _("El texto tiene {length} caracteres y caben {limit}. Acórtalo o adjunta el resto.")
        super().__init__(format_lazy(message, limit=limit, length=length))


def clean_line(value: str, *, max_length: int) -> str:
    """Return `value` as one clean line, for names, subjects and titles, which are used in mail headers (B32).

    Line breaks become spaces, several spaces become one, and harmful characters are dropped. Raises `TextTooLong` if
    more than `max_length` characters remain.
    """
    text = _strip_unwanted(_LINE_BREAKS.sub(" ", _limited_raw(value, max_length))).replace(
        markdown.LITERAL, ""
    )
    return _limited(normalize("NFC", " ".join(text.split())), max_length)


def clean_text(value: str, *, max_length: int = MAX_TEXT) -> str:
    """Return `value` with plain newlines as line breaks, without harmful characters, blank lines at the start and white
    space at the end. The first of several lines keeps its indentation: it may begin a pasted log or table.

    Raises `TextTooLong` if more than `max_length` characters remain.
    """
    text = _strip_unwanted(_LINE_BREAKS.sub("\n", _limited_raw(value, max_length))).rstrip()
    text = _BLANK_START.sub("", text, count=1)
    return _limited(normalize("NFC", text if "\n" in text else text.strip()), max_length)


def fold(text: str) -> str:
    """Return `text` in lower case and without accents, because people search without typing them."""
    return "".join(c for c in normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


NormalForm: TypeAlias = Literal["NFC", "NFD", "NFKC", "NFKD"]


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, each with the mark that ends it. A line's end ends a sentence, too."""
    pieces = (piece.strip() for line in text.splitlines() for piece in re.split(r"(?<=[.!?…])\s+", line))
    return [piece for piece in pieces if piece]


def without_list_mark(line: str) -> str:
    """Return a line of a list without its number or dash, and without the space around it."""
    return re.sub(r"^\s*(?:\d{1,3}[.)]|[-*•])\s+", "", line).strip()


def normalize(form: NormalForm, text: str) -> str:
    """Return `text` in a Unicode normalization form, without the marks after the first `MAX_MARKS` of a row.

    Everything that people send is normalized here: `unicodedata.normalize` sorts each row of marks in quadratic time
    and holds the interpreter meanwhile, so 300 kB of marks would stop a process for 12 seconds.
    """
    if text.isascii():
        return text
    return _without_excess_marks(unicodedata.normalize(form, _without_excess_marks(text)))


def _without_excess_marks(text: str) -> str:
    return _excess_marks().sub(r"\1", text)


@lru_cache(maxsize=1)
def _excess_marks() -> re.Pattern[str]:
    """Compiled when it is first needed, because finding the marks takes some 20 ms. Some, such as U+0F73, become marks
    only when they are decomposed."""
    characters = map(chr, range(0x300, 0x20000))
    marks = "".join(c for c in characters if unicodedata.combining(unicodedata.normalize("NFKD", c)[0]))
    return re.compile(f"([{marks}]{{{MAX_MARKS}}})[{marks}]+")


def _limited_raw(value: str, limit: int) -> str:
    """Return `value`. Raises `TextTooLong` before any other work if it is far over `limit`.

    The margin is for what cleaning removes: hidden characters, repeated spaces, and accents that become one character
    with their letter.
    """
    length = len(value.strip())
    if length > 4 * limit + 4_000:
        raise TextTooLong(limit, length)
    return value


def _strip_unwanted(text: str) -> str:
    return _JOINER.sub("", _TAGS.sub("", _UNWANTED.sub("", text)))


def _limited(text: str, limit: int) -> str:
    if len(text) > limit:
        raise TextTooLong(limit, len(text))
    return text


# --- Markdown ---------------------------------------------------------------------------------------------

MAX_HTML = 4 * MAX_TEXT
"""The maximum length of the HTML of a formatted message. Without it, 20 kB of short links would become 200 kB."""

_TAGS_ALLOWED = {
    *("p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_INLINE_TAGS = re.compile(r"</?(?:strong|em|s|code|a)\b[^>]*>")
_OTHER_TAGS = re.compile(r"<[^>]*>")


@lru_cache(maxsize=500)  # pages refresh themselves and render the same messages each time
def render_markdown(text: str) -> SafeString:
    """Return safe HTML for a text in our Markdown subset. No other function makes HTML from text (B7, B8).

    `markdown.to_html` escapes every tag, and nh3 then keeps only allowed ones, so that each catches the other's
    mistakes. Two texts are returned without formatting, but whole: one over `MAX_TEXT`, which no form accepts, and one
    whose HTML would be over `MAX_HTML`.
    """
    if len(text) <= MAX_TEXT:
        html = markdown.to_html(text)
        if len(html) <= MAX_HTML:
            return sanitize(html)
    return sanitize(f"<p>{escape(as_typed(text)).replace(chr(10), '<br>' + chr(10))}</p>")


def as_typed(text: str) -> str:
    """Return a text in our Markdown subset for readers of plain text: with its marks, as people type it."""
    return without_picture_marks(text).replace(markdown.LITERAL, "")


PICTURE_MARK = re.compile(r"!\[([^\[\]\n]{0,200})\]\(archivo:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\)")
"""A picture in its place in a text: its name and the uuid of its file. Only mails have them."""


def picture_mark(name: str, uuid: str) -> str:
    """Return the mark that stands for a picture in a text."""
    clean = " ".join(re.sub(r"[\[\]()!*_`<>|~]", " ", name).split())
    return f"![{clean[:200]}](archivo:{uuid})"


def without_picture_marks(text: str) -> str:
    """Return a text with the name of each picture in place of its mark."""
    return PICTURE_MARK.sub(r"[\1]", text) if "](archivo:" in text else text


def sanitize(html: str) -> SafeString:
    """Return `html` with only the allowed tags and attributes. Links may be http, https or mailto, and get
    `rel="nofollow noopener noreferrer"`."""
    return mark_safe(_cleaner.clean(html.encode("utf-8", "replace").decode()))


def plain_excerpt(text: str, length: int) -> str:
    """Return the beginning of a Markdown text as one line of at most `length` characters, for lists and previews.

    The result is plain text without Markdown marks. It is not escaped: templates must escape it.
    """
    text = without_picture_marks(text)
    head = text[: length * 3 + 200]
    shown = unescape(_OTHER_TAGS.sub(" ", _INLINE_TAGS.sub("", markdown.to_html(head))))
    words = " ".join(_strip_unwanted(shown).split())
    if len(words) <= length and len(text) <= length * 3 + 200:
        return words
    cut = words[: max(length - 1, 0)]
    if " " in cut[length // 2 :] and not words[len(cut) : len(cut) + 1].isspace():
        cut = cut.rpartition(" ")[0]
    return cut.rstrip(" ,;:.-") + "…"


_cleaner = nh3.Cleaner(
    tags=_TAGS_ALLOWED,
    attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="nofollow noopener noreferrer",
)
