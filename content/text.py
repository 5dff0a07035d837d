"""Clean the text that people type, and render it as safe HTML.

Text is stored as written, without the characters that only do harm: NUL and other controls, lone surrogates, and marks
that reorder or hide text. Emoji, accents and ñ stay. HTML is only made by `render_markdown`, never stored.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

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
    "\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
)
_UNWANTED = re.compile(f"[{_CONTROL}{_HIDDEN}\U000e0000-\U000e001f]")
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
    text = _strip_unwanted(_LINE_BREAKS.sub(" ", _limited_raw(value, max_length)))
    return _limited(normalize("NFC", " ".join(text.split())), max_length)


def clean_text(value: str, *, max_length: int = MAX_TEXT) -> str:
    """Return `value` with plain newlines as line breaks, without harmful characters, blank lines at the start and white
    space at the end. The first line keeps its indentation: it may be the first line of a pasted log or table.

    Raises `TextTooLong` if more than `max_length` characters remain.
    """
    text = _strip_unwanted(_LINE_BREAKS.sub("\n", _limited_raw(value, max_length))).rstrip()
    return _limited(normalize("NFC", _BLANK_START.sub("", text, count=1)), max_length)


def fold(text: str) -> str:
    """Return `text` in lower case and without accents, because people search without typing them."""
    return "".join(c for c in normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def normalize(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
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
    return _TAGS.sub("", _UNWANTED.sub("", text))


def _limited(text: str, limit: int) -> str:
    if len(text) > limit:
        raise TextTooLong(limit, len(text))
    return text


# --- Markdown ---------------------------------------------------------------------------------------------

# Disabled on purpose: images (browsers would load them from other servers), raw HTML, headings (a message must not
# change the page's outline, and «# 123» is an invoice more often than a title), indented code (pasted text is often
# indented) and reference definitions (their text would not be shown).
_DISABLED = ["image", "html_block", "html_inline", "heading", "lheading", "code", "reference"]
_TAGS_ALLOWED = {
    *("p", "br", "strong", "em", "s", "code", "pre", "blockquote", "hr", "ul", "ol", "li", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_MAX_NESTING = 20  # limits the time spent on «[[[[…» and «> > > …»

_SAFE_LINK = re.compile(r"https?://[^/]|mailto:[^/]", re.IGNORECASE)
_WEB_ADDRESS = r"""[^\s<>"'`«»“”\\]{2,2000}"""
_AFTER_SCHEME = re.compile(rf"://{_WEB_ADDRESS}")
_WITHOUT_SCHEME = re.compile(
    rf"(?<![\w/.@-])www\.{_WEB_ADDRESS}"
    r"|(?<![\w.+@/-])[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}(?![\w@-])",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(?<![\w+.-])https?\Z", re.IGNORECASE)
_PAIRS = {")": "(", "]": "[", "}": "{"}


@lru_cache(maxsize=500)  # pages refresh themselves and render the same messages each time
def render_markdown(text: str) -> SafeString:
    """Return safe HTML for a text in our Markdown subset. No other function makes HTML from text (B7, B8).

    markdown-it escapes every tag, and nh3 then keeps only allowed ones, so that each catches the other's mistakes.
    A text over `MAX_TEXT`, which no form accepts, is returned without formatting to limit the time.
    """
    if len(text) > MAX_TEXT:
        return sanitize(f"<p>{escape(text).replace(chr(10), '<br>')}</p>")
    return sanitize(_markdown.render(text))


def sanitize(html: str) -> SafeString:
    """Return `html` with only the allowed tags and attributes. Links may be http, https or mailto, and get
    `rel="nofollow noopener noreferrer"`."""
    return mark_safe(_cleaner.clean(html.encode("utf-8", "replace").decode()))


def plain_excerpt(text: str, length: int) -> str:
    """Return the beginning of a Markdown text as one line of at most `length` characters, for lists and previews.

    The result is plain text without Markdown marks. It is not escaped: templates must escape it.
    """
    head = text[: length * 3 + 200]
    head = re.sub(r"\[([^\[\]\n]{1,500})\]\([^()\s]{0,2000}\)", r"\1", head)
    head = re.sub(
        r"^[ \t]{0,20}(?:[>#]+|[-*+]|`{3,}\w{0,20}|\d{1,9}[.)])(?:[ \t]+|$)", "", head, flags=re.MULTILINE
    )
    head = re.sub(r"\*{1,3}(?=\S)|(?<=\S)\*{1,3}|~~|`|(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)", "", head)
    words = " ".join(_strip_unwanted(head).split())
    if len(words) <= length and len(text) <= length * 3 + 200:
        return words
    cut = words[: max(length - 1, 0)]
    if " " in cut[length // 2 :] and not words[len(cut) : len(cut) + 1].isspace():
        cut = cut.rpartition(" ")[0]
    return cut.rstrip(" ,;:.-") + "…"


def _allowed_link(url: str) -> bool:
    return _SAFE_LINK.match(url.strip()) is not None


def _web_address(state: StateInline, silent: bool) -> bool:
    """Inline rule of markdown-it: make a link of an http(s) address in the text. Returns whether it found one.

    Runs before emphasis, so that `_` and `*` stay part of the address.
    """
    if state.linkLevel or state.src[state.pos] != ":":
        return False
    scheme = _SCHEME.search(state.pending[-6:])
    rest = _AFTER_SCHEME.match(state.src, state.pos) if scheme else None
    if not scheme or not rest:
        return False
    shown = _without_closing_punctuation(scheme[0] + rest[0])
    if len(shown) < len(scheme[0]) + 4 or not _allowed_link(shown):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[0])]
        state.push("link_open", "a", 1).attrs = {"href": state.md.normalizeLink(shown)}
        state.push("text", "", 0).content = shown
        state.push("link_close", "a", -1)
    state.pos += len(shown) - len(scheme[0])
    return True


def _addresses_without_scheme(state: StateCore) -> None:
    """Core rule of markdown-it: make links of `www.` addresses and e-mail addresses outside existing links."""
    for block in state.tokens:
        if block.type != "inline" or not block.children or not _WITHOUT_SCHEME.search(block.content):
            continue
        children: list[Token] = []
        depth = 0
        for token in block.children:
            depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
            children += _split_links(token) if token.type == "text" and depth == 0 else [token]
        block.children = children


def _split_links(token: Token) -> Iterable[Token]:
    text, end = token.content, 0
    for match in _WITHOUT_SCHEME.finditer(text):
        shown = _without_closing_punctuation(match[0])
        url = f"https://{shown}" if shown[:4].lower() == "www." else f"mailto:{shown}"
        yield _text_token(text[end : match.start()], token.level)
        yield Token("link_open", "a", 1, attrs={"href": _markdown.normalizeLink(url)}, level=token.level)
        yield _text_token(shown, token.level + 1)
        yield Token("link_close", "a", -1, level=token.level)
        end = match.start() + len(shown)
    yield _text_token(text[end:], token.level)


def _text_token(content: str, level: int) -> Token:
    return Token("text", "", 0, content=content, level=level)


def _without_closing_punctuation(address: str) -> str:
    """Return `address` without the punctuation that ends the sentence around it.

    A closing bracket stays if it was opened inside: «(mira https://a.test/x_(1)).» links https://a.test/x_(1).
    """
    while address:
        last = address[-1]
        opening = _PAIRS.get(last)
        if opening and address.count(last) <= address.count(opening):
            break
        if not opening and last not in ".,;:!?*_~…":
            break
        address = address[:-1]
    return address


def _build() -> MarkdownIt:
    markdown = MarkdownIt("js-default", {"breaks": True, "maxNesting": _MAX_NESTING}).disable(_DISABLED)
    markdown.validateLink = _allowed_link  # type: ignore[method-assign]
    markdown.inline.ruler.before("newline", "web_address", _web_address)
    markdown.core.ruler.after("text_join", "addresses_without_scheme", _addresses_without_scheme)
    return markdown


_markdown = _build()
_cleaner = nh3.Cleaner(
    tags=_TAGS_ALLOWED,
    attributes={"*": set(), "a": {"href"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="nofollow noopener noreferrer",
)
