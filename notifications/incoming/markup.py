"""Turn the HTML of a mail into lines of our Markdown, with each picture in its place.

nh3 parses the HTML and keeps what says something about its structure, so the walk below meets well-formed HTML alone.
What a mail program marked as quoted begins with «> », and where it marked that all below is quoted stands `CUT`.
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import nh3

from content import markdown

MAX_HTML = 1_000_000
MAX_LINES = 8_000
MAX_DEPTH = 1_500
CUT = "\ue000cut"
"""A line that stands where a mail program marked the beginning of the quoted mail."""
FORWARD = "\ue000forward"
PICTURE = re.compile(r"\ue001(\d+)\ue002")
"""A picture, by its place in `Lines.pictures`."""

_TAGS = {
    *(
        "a",
        "b",
        "strong",
        "i",
        "em",
        "code",
        "pre",
        "br",
        "hr",
        "p",
        "div",
        "span",
        "font",
        "img",
        "blockquote",
    ),
    *("ul", "ol", "li", "table", "tbody", "thead", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("section", "article", "center", "address", "dl", "dt", "dd", "s", "strike", "del", "u", "sup", "sub"),
}
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags={"script", "style", "head", "title", "noscript", "template", "object", "iframe"},
    attributes={
        "*": {"class", "id", "style", "type", "name"},
        "a": {"href"},
        "img": {"src", "alt", "width", "height"},
    },
    url_schemes={"http", "https", "mailto", "cid", "data", "tel"},
    link_rel=None,
    strip_comments=True,
)
_BLOCKS = frozenset({
    *("p", "div", "blockquote", "ul", "ol", "li", "table", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "hr"),
    *("section", "article", "center", "address", "dl", "dt", "dd"),
})  # fmt: skip
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "s": "~~", "strike": "~~", "del": "~~"}
_QUOTE_CLASSES = re.compile(
    r"gmail_quote|gmail_extra|moz-cite|yahoo_quoted|protonmail_quote|tutanota_quote|zmail_extra|"
    r"OutlookMessageHeader|quote_reply|freebirdFormviewer|gmx_quote|replyforwardmessage|ms-outlook-.*reference-message",
    re.IGNORECASE,
)
_CUT_IDS = re.compile(
    r"appendonsend|divRplyFwdMsg|reply-intro|stopSpelling|mail-editor-reference-message|yahoo_quoted|OLK_SRC_BODY_SECTION"
    r"|isForwardContent|replySplit",
    re.IGNORECASE,
)
_BORDER = re.compile(r"border-top:\s*(?:solid|1\.0pt solid)?\s*#?(?:e1e1e1|b5c4df)", re.IGNORECASE)
_BORDER_2 = re.compile(r"border:none;\s*border-top:\s*solid", re.IGNORECASE)
_HIDDEN = re.compile(r"display:\s*none|mso-hide:\s*all|font-size:\s*0", re.IGNORECASE)
_OPENING = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_TAG = re.compile(r"<[^<>]{0,2000}>")
_VOID = frozenset(
    {
        "br",
        "hr",
        "img",
        "input",
        "meta",
        "link",
        "wbr",
        "area",
        "base",
        "col",
        "source",
        "p",
        "li",
        "td",
        "tr",
        "th",
        "dd",
        "dt",
    }
)
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")


@dataclass
class Picture:
    """A picture of the HTML: `source` is `cid:…`, the address of a remote one, or `data:…`."""

    source: str
    alt: str = ""
    is_tiny: bool = False


@dataclass
class Lines:
    """The text of a mail as lines, and its pictures."""

    lines: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)


def lines_of(html: str) -> Lines:
    """Return the text of `html` as lines of Markdown."""
    html = html[:MAX_HTML]
    walk = _Walk()
    walk.feed(_TAG.sub(" ", html).replace("<", " ") if _is_too_deep(html) else _CLEANER.clean(html))
    walk.close()
    walk.end_line()
    return Lines(_tidied(walk.lines), walk.pictures)


def _is_quote(tag: str, given: dict[str, str], marked: str, style: str) -> bool:
    """Whether a mail program marked the element as the quoted mail. People indent their own words with a plain
    `blockquote`, too."""
    if tag == "blockquote":
        is_told = given.get("type") == "cite" or _QUOTE_CLASSES.search(marked) or "border-left" in style
        return bool(is_told)
    # «moz-cite-prefix» is the line «… escribió:», which the rules of text know.
    return tag in ("div", "span") and bool(_QUOTE_CLASSES.search(marked)) and "moz-cite-prefix" not in marked


def _is_too_deep(html: str) -> bool:
    """Whether elements are nested so deeply that parsing them would take seconds: then only the text counts."""
    depth = 0
    for closes, name in _OPENING.findall(html):
        if name.lower() not in _VOID:
            depth += -1 if closes else 1
            if depth > MAX_DEPTH:
                return True
    return False


def _tidied(lines: list[str]) -> list[str]:
    """Return the lines without repeated blank ones."""
    kept: list[str] = []
    for line in lines:
        bare = line.strip("> ")
        if bare or (kept and kept[-1].strip("> ")):
            kept.append(line.rstrip())
    while kept and not kept[-1].strip("> "):
        kept.pop()
    return kept


class _Walk(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self.pictures: list[Picture] = []
        self.line: list[str] = []
        self.quotes = 0
        self.hidden = 0
        self.pre = 0
        self.lists: list[int | None] = []
        self.open: list[tuple[str, bool, bool]] = []
        """The open elements: tag, whether it is a quote, whether it is hidden."""
        self.links: list[tuple[str, int]] = []
        self.cells = 0

    # --- Tags

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        style = given.get("style", "")
        marked = f"{given.get('class', '')} {given.get('id', '')} {given.get('name', '')}"
        if tag in _BLOCKS:
            self.end_line()
        if tag == "br":
            self.end_line(always=True)
        elif tag == "hr":
            if _CUT_IDS.search(marked):
                self.lines.append(CUT)
        elif tag == "img":
            self._picture(given)
        if tag in ("br", "hr", "img"):
            return
        if tag in ("div", "span") and (
            _CUT_IDS.search(marked) or _BORDER.search(style) or _BORDER_2.search(style)
        ):
            self.lines.append(CUT)
        is_quote = _is_quote(tag, given, marked, style)
        is_hidden = bool(_HIDDEN.search(style))
        self.open.append((tag, is_quote, is_hidden))
        self.quotes += is_quote
        self.hidden += is_hidden
        self._begin(tag, given)

    def _begin(self, tag: str, given: dict[str, str]) -> None:
        if tag == "pre":
            self.pre += 1
        elif tag in ("ul", "ol"):
            self.lists.append(1 if tag == "ol" else None)
        elif tag == "li":
            self._write(self._bullet())
        elif tag in ("td", "th") and self.line:
            self._write(" ")
        elif tag in _MARKS and not self.pre:
            self._write(_MARKS[tag])
        elif tag == "a":
            self.links.append((given.get("href", ""), len(self.line)))
        elif tag[0] == "h" and tag[1:].isdigit():
            self._write("**")

    def _bullet(self) -> str:
        indent = "  " * max(0, len(self.lists) - 1)
        if self.lists and (number := self.lists[-1]) is not None:
            self.lists[-1] = number + 1
            return f"{indent}{number}. "
        return f"{indent}- "

    def handle_endtag(self, tag: str) -> None:
        if not any(opened[0] == tag for opened in reversed(self.open[-200:])):
            return
        while self.open:
            name, is_quote, is_hidden = self.open.pop()
            self._end(name)
            self.quotes -= is_quote
            self.hidden -= is_hidden
            if name == tag:
                break

    def _end(self, tag: str) -> None:
        if tag in _MARKS and not self.pre:
            self._close_mark(_MARKS[tag])
        elif tag == "a" and self.links:
            self._close_link(*self.links.pop())
        elif tag[0] == "h" and tag[1:].isdigit():
            self._close_mark("**")
        if tag == "pre":
            self.pre -= 1
        elif tag in ("ul", "ol") and self.lists:
            self.lists.pop()
        if tag in _BLOCKS:
            self.end_line()
        if tag in ("p", "h1", "h2", "h3", "h4", "ul", "ol", "table", "blockquote", "pre"):
            self.lines.append("> " * min(self.quotes, 3))

    def _close_mark(self, mark: str) -> None:
        """End a marked text. A mark around nothing, or around blanks, disappears."""
        for place in range(len(self.line) - 1, -1, -1):
            if self.line[place] == mark:
                inside = "".join(self.line[place + 1 :])
                if not inside.strip() or "**" in inside:
                    del self.line[place]
                else:
                    lead = inside[: len(inside) - len(inside.lstrip())]
                    tail = inside[len(inside.rstrip()) :]
                    self.line[place:] = [lead, mark, inside.strip(), mark, tail]
                return

    def _close_link(self, href: str, place: int) -> None:
        inside = "".join(self.line[place:]).strip()
        target = href.strip()
        if not target.lower().startswith(("http://", "https://", "mailto:")) or PICTURE.search(inside):
            return
        bare = target.removeprefix("mailto:").partition("?")[0]
        if not inside:
            return
        if inside in (target, bare) or target.rstrip("/").endswith(inside.rstrip("/")) or len(target) > 500:
            return
        if re.search(r"[()\s<>]", target) or "]" in inside or "\n" in inside:
            self.line[place:] = [f"{inside} ({target})"]
            return
        self.line[place:] = [f"[{inside}]({target})"]

    # --- Text

    def handle_data(self, data: str) -> None:
        if self.hidden:
            return
        if self.pre:
            first, *rest = data.split("\n")
            self._write(_safe(first))
            for line in rest:
                self.end_line(always=True)
                self._write(_safe(line))
            return
        text = _SPACE.sub(" ", data)
        if text == " " and not self.line:
            return
        self._write(_safe(text.lstrip() if not self.line else text))

    def _picture(self, given: dict[str, str]) -> None:
        source = given.get("src", "").strip()
        if not source or self.hidden:
            return
        tiny = any(given.get(name, "").strip("px ") in ("0", "1", "2") for name in ("width", "height"))
        if len(self.pictures) < 200:
            self.pictures.append(Picture(source[:MAX_HTML], given.get("alt", "")[:200], tiny))
            self._write(f"\ue001{len(self.pictures) - 1}\ue002")

    def _write(self, text: str) -> None:
        if len(self.lines) < MAX_LINES:
            self.line.append(text)

    def end_line(self, *, always: bool = False) -> None:
        """Add the line that was written. A line break adds one even if it is empty."""
        text = "".join(self.line)
        text = (
            text.rstrip() if self.pre else _SPACE.sub(" ", text).rstrip() if not self.lists else text.rstrip()
        )
        self.line = []
        self.links = [(href, 0) for href, _place in self.links]
        if (text.strip() or always) and len(self.lines) < MAX_LINES:
            self.lines.append("> " * min(self.quotes, 3) + text)

    def error(self, message: str) -> Any:
        """Never raise."""


def _safe(text: str) -> str:
    """Return text without the characters that this module uses for its own signs, with Markdown's marks literal."""
    return markdown.literal("".join(c for c in text if not "\ue000" <= c <= "\ue002"))
