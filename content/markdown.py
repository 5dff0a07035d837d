"""Make HTML of our Markdown subset. docs/decisions/0020 says what is markup, and why it is so little.

Blocks (paragraphs, quotes, lists, tables, code) are found here, line by line; markdown-it parses the text inside them.
The rule of both: a character that is not part of deliberate markup is shown. All of it takes time in proportion to the
text. The HTML is escaped but not sanitized: pages use `content.text.render_markdown`.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token

LITERAL = "\u2060"
"""The word joiner makes the character after it literal. It is invisible, and nobody types it by mistake. A backslash
cannot do this, because it must be shown: paths and regular expressions are full of backslashes."""

MAX_DEPTH = 5  # quotes and lists inside one another; deeper ones are shown as text
MAX_CELLS = 1_000  # of one table; larger ones are shown as text

_STARTS_MARKUP = re.compile(
    r"[*`~\[\]|@]|:(?=//)|(?<=www)\.|^[->]|(?:(?<=^\d)|(?<=^\d\d)|(?<=^\d\d\d))\.",
    re.IGNORECASE | re.MULTILINE,
)


def literal(text: str) -> str:
    """Return Markdown that shows `text` as it is, for values inside other texts. Plain words are not changed."""
    return _STARTS_MARKUP.sub(rf"{LITERAL}\g<0>", text)


def to_html(text: str) -> str:
    return "\n".join(_Blocks(text.split("\n"))).replace(LITERAL, "")


# --- Blocks -----------------------------------------------------------------------------------------------

_QUOTE = re.compile(r" {0,3}>(?:[ \t]|\Z)")
_ITEM = re.compile(
    r" {0,3}(?:(?P<bullet>[-*])|(?P<number>0|[1-9][0-9]{0,2})\.)(?:\t| {1,3})(?=\S)(?![-*\s]*\Z)"
)
_INDENT = re.compile(r"\t| {2,}")
_ALIGNMENT = re.compile(r"\s*:?-+:?\s*")
_UNESCAPED_PIPE = re.compile(rf"(?<!{LITERAL})\|")
_FENCE = re.compile(r"\s{0,3}```([^`]*)")
# Only these words after ``` are taken for the name of a language and left out.
_LANGUAGE = re.compile(
    "bash|bat|c|console|cpp|cs|csharp|css|csv|diff|go|html|http|ini|java|javascript|js|json|kotlin|log|md|php"
    "|powershell|ps1|py|python|rb|ruby|rust|sh|shell|sql|swift|text|toml|ts|txt|typescript|xml|ya?ml",
    re.IGNORECASE,
)


@dataclass
class _Blocks:
    """Iterates over the HTML of each block of `lines`. With `tight`, paragraphs are not enclosed in `<p>`. The first
    line of an item is text, whatever it begins with: «1. 2. algo»."""

    lines: list[str]
    depth: int = 0
    tight: bool = False
    is_item: bool = False
    _paragraph: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        self._fence_ends = [i for i, line in enumerate(self.lines) if line.rstrip().endswith("```")]
        position = 0
        while position < len(self.lines):
            html, end = ("", 1) if self.is_item and not position else self._block(position)
            if html or not self.lines[position].strip():
                yield from self._end_paragraph()
            else:
                self._paragraph += self.lines[position:end]
            if html:
                yield html
            position = end
        yield from self._end_paragraph()

    def _end_paragraph(self) -> Iterator[str]:
        if self._paragraph:
            html = self._inline("\n".join(line.rstrip() for line in self._paragraph))
            yield html if self.tight else f"<p>{html}</p>"
            self._paragraph = []

    def _inside(self, lines: list[str], *, tight: bool = False, is_item: bool = False) -> Iterable[str]:
        """Return the HTML of each block of a quote or item."""
        return _Blocks(lines, self.depth + 1, tight=tight, is_item=is_item)

    def _inline(self, text: str) -> str:
        return _inline(text)

    def _block(self, start: int) -> tuple[str, int]:
        """Return the HTML of the block that begins at `start`, and where it ends. If the HTML is empty, these lines are
        text."""
        line = self.lines[start]
        if fence := _FENCE.fullmatch(line):
            return self._code(start, fence[1])
        if self.depth < MAX_DEPTH:
            if (quote := _QUOTE.match(line)) and line[quote.end() :].strip():
                return self._quote(start)
            if (item := _ITEM.match(line)) and (not self._paragraph or item["number"] in (None, "1")):
                return self._list(start, item)
        if "|" in line and start + 1 < len(self.lines):
            return self._table(start)
        return "", start + 1

    def _code(self, start: int, first: str) -> tuple[str, int]:
        """Code between lines with ```, also if its first and last line stand beside them, as WhatsApp writes it."""
        found = bisect_right(self._fence_ends, start)
        if found == len(self._fence_ends):
            return "", start + 1
        end = self._fence_ends[found]
        last = self.lines[end].rstrip()[:-3]
        code = self.lines[start + 1 : end]
        if first.strip() and (last.strip() or not _LANGUAGE.fullmatch(first.strip())):
            code.insert(0, first)
        if last.strip():
            code.append(last)
        text = "\n".join(code)
        return (f"<pre><code>{_escape(text)}\n</code></pre>" if text.strip() else ""), end + 1

    def _quote(self, start: int) -> tuple[str, int]:
        """The lines that begin with «> », and no others: what is written below a quote is the answer to it."""
        quoted, end = [], start
        while end < len(self.lines) and (found := _QUOTE.match(self.lines[end])):
            quoted.append(self.lines[end][found.end() :])
            end += 1
        html = "\n".join(self._inside(quoted))
        return f"<blockquote>\n{html}\n</blockquote>", end

    def _list(self, start: int, first: re.Match[str]) -> tuple[str, int]:
        """Items with the same mark, or with numbers that follow one another. Another number begins a list of its own,
        so that every number is shown as it was typed."""
        items: list[list[str]] = []
        loose, end = False, start
        while item := self._item(end, first, len(items)):
            lines, loose_item, end = item
            items.append(lines)
            loose = loose or loose_item
        while not self.lines[end - 1].strip():
            end -= 1
        if first["bullet"] and all(lines[0][:1].isdigit() for lines in items):
            return "", end  # «- 5 °C» is a number below zero
        number = first["number"]
        tight = not loose and not self._is_steps(number)
        inner = ["".join(self._inside(lines, tight=tight, is_item=True)) for lines in items]
        body = "\n".join(f"<li>{html}</li>" for html in inner)
        tag = "ul" if number is None else "ol"
        opening = f"<{tag}>" if number in (None, "1") else f'<ol start="{number}">'
        if self._is_steps(number):
            opening = '<ol class="kb-steps">'
        return f"{opening}\n{body}\n</{tag}>", end

    def _is_steps(self, number: str | None) -> bool:
        """Whether a list that begins with this number is drawn as steps, which only articles have."""
        return False

    def _item(self, start: int, first: re.Match[str], index: int) -> tuple[list[str], bool, int] | None:
        """Return the lines of the item at `start`, whether it has blank lines in or before it, and where the next one
        may begin. None if there is no item of the list that begins with `first`."""
        begin = self._after_blanks(start)
        found = _ITEM.match(self.lines[begin]) if begin < len(self.lines) else None
        number = first["number"] and str(int(first["number"]) + index)
        if not found or found["bullet"] != first["bullet"] or found["number"] != number:
            return None
        lines, end = [self.lines[begin][found.end() :]], begin + 1
        loose = begin > start
        while (follow := self._after_blanks(end)) < len(self.lines) and _INDENT.match(self.lines[follow]):
            loose = loose or follow > end
            lines += [""] * (follow - end) + [_dedent(self.lines[follow], found.end())]
            end = follow + 1
        return lines, loose, end

    def _after_blanks(self, start: int) -> int:
        while start < len(self.lines) and not self.lines[start].strip():
            start += 1
        return start

    def _table(self, start: int) -> tuple[str, int]:
        """A row of titles, a row of dashes, and the rows below. Every cell is drawn and none is added."""
        alignments = self.lines[start + 1]
        if "|" not in alignments or not all(_ALIGNMENT.fullmatch(cell) for cell in _cells(alignments)):
            return "", start + 1
        titles, rows, end = _cells(self.lines[start]), [], start + 2
        if len(titles) != len(_cells(alignments)):
            return "", start + 1
        while end < len(self.lines) and "|" in self.lines[end]:
            rows.append(_cells(self.lines[end]))
            end += 1
        if len(titles) + sum(map(len, rows)) > MAX_CELLS:
            return "", end
        head, body = self._row("th", titles), "\n".join(self._row("td", row) for row in rows)
        body = f"<tbody>\n{body}\n</tbody>\n" if rows else ""
        return f"<table>\n<thead>\n{head}\n</thead>\n{body}</table>", end

    def _row(self, tag: str, cells: Iterable[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{self._inline(cell.strip())}</{tag}>" for cell in cells) + "</tr>"


def _dedent(line: str, width: int) -> str:
    """Return `line` without one tab or up to `width` spaces of its indentation."""
    if line.startswith("\t"):
        return line[1:]
    return line[min(width, len(line) - len(line.lstrip(" "))) :]


def _cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    if inner.endswith("|") and not inner.endswith(f"{LITERAL}|"):
        inner = inner[:-1]
    return _UNESCAPED_PIPE.split(inner)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


# --- Inside a line ----------------------------------------------------------------------------------------

_MAY_BE_MARKUP = re.compile(rf"[*~`\[:@{LITERAL}]|www\.", re.IGNORECASE)
_TAGS = {"*": "em", "**": "strong", "***": "strong", "~~": "s"}
_RUN = re.compile(r"\*+|~+")
# What may stand outside of a pair of marks: white space, the edge of the text, and this punctuation. So the asterisks
# of `2*3*4`, `**/*.log`, `.*error.*` and `*123*4#` are no marks.
_BEFORE = frozenset("([{«“‘\"'¿¡—–:~*")
_AFTER = frozenset(")]}»”’\"'.,;:!?…—–~*")
# What may not stand inside, beside the marks.
_NOT_FIRST = frozenset("/\\.,;:!?)]}+-=|%^&_")
_NOT_LAST = frozenset("/\\([{+-=|^&_@#$")
# «*» stands beside letters and little else: a code to dial, such as *611*, begins with a digit.
_FIRST_IN_EM = frozenset("¿¡«“‘\"'(`*~")
_LAST_IN_EM = frozenset("?!.…:»”’\"')%`*~")

_CODE = re.compile(
    r"(?<![\w`])(?:"
    + "|".join(rf"`{{{n}}}((?:{LITERAL}[^\n]|[^`\n{LITERAL}]|`{{1,{n - 1}}}(?!`))+)`{{{n}}}" for n in (3, 2))
    + rf"|`((?:{LITERAL}[^\n]|[^`\n{LITERAL}])+)`)(?![\w`])"
)
_LINK = re.compile(
    r"\[(?P<label>(?=[^\[\]\n]*[^\s\[\]])[^\[\]\n]{1,300})"
    rf"(?<!{LITERAL})\]\(\s*"
    r"(?P<address>(?:https?://|mailto:)[^\s()<>]{1,2000}(?:\([^\s()<>]{0,500}\)[^\s()<>]{0,2000}){0,5})"
    r"""(?:[ \t]+(?:"[^"\n]{0,200}"|'[^'\n]{0,200}'))?\s*\)""",
    re.IGNORECASE,
)
_SAFE_LINK = re.compile(r"https?://[^/]|mailto:[^/]", re.IGNORECASE)
_WEB_ADDRESS = rf"""[^\s<>"'`«»“”\\{LITERAL}]{{2,2000}}"""
_AFTER_SCHEME = re.compile(rf"://{_WEB_ADDRESS}")
_WITHOUT_SCHEME = re.compile(
    rf"(?<![\w/.@-])www\.{_WEB_ADDRESS}"
    r"|(?<![\w.+@/-])[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}(?![\w@-])",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(?<![\w+.-])https?\Z", re.IGNORECASE)
_BRACKETS = {")": "(", "]": "[", "}": "{"}


def _inline(text: str) -> str:
    if not _MAY_BE_MARKUP.search(text):  # most lines; saves nine tenths of the time
        return _escape(text).replace("\n", "<br>\n")
    html: str = _markdown.renderInline(text)
    return html


def _allowed_link(url: str) -> bool:
    return _SAFE_LINK.match(url.strip()) is not None


def _line_break(state: StateInline, silent: bool) -> bool:
    """Rule of markdown-it: keep a line break, and the spaces around it, which its own rule drops."""
    if state.src[state.pos] != "\n":
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos += 1
    return True


def _literal_character(state: StateInline, silent: bool) -> bool:
    """Rule of markdown-it: the character after `LITERAL` is text. `to_html` removes `LITERAL` in the end, because until
    then it also keeps `_addresses_without_scheme` from making links."""
    if state.src[state.pos] != LITERAL:
        return False
    if not silent:
        state.pending += state.src[state.pos : state.pos + 2]
    state.pos += 2
    return True


def _code_span(state: StateInline, silent: bool) -> bool:
    """Rule of markdown-it: text between one, two or three backticks in one line, exactly as it is."""
    if state.src[state.pos] != "`":
        return False
    found = _CODE.match(state.src, state.pos, state.posMax)
    code = found and next(filter(None, found.groups()))
    if not found or not code or not code.strip():
        return False
    if not silent:
        state.push("code_inline", "code", 0).content = code
    state.pos = found.end()
    return True


def _marks(state: StateInline, silent: bool) -> bool:
    """Rule of markdown-it: find marks that may begin or end bold, italic or crossed-out text. Only marks of the same
    length make a pair."""
    found = None if silent else _RUN.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    run, begin, end = found[0], found.start(), found.end()
    before, after = state.src[max(begin - 1, 0) : begin], state.src[end : end + 1]
    opens = run in _TAGS and _is_edge(before, _BEFORE) and _may_be_first(run, after)
    closes = run in _TAGS and _is_edge(after, _AFTER) and _may_be_last(run, before)
    if opens or closes:
        state.push("text", "", 0).content = run
        kind = ord(run[0]) + len(run)
        state.delimiters.append(Delimiter(kind, 0, len(state.tokens) - 1, -1, opens, closes))
    else:
        state.pending += run
    state.pos = end
    return True


def _is_edge(outside: str, punctuation: frozenset[str]) -> bool:
    return not outside or outside.isspace() or outside in punctuation


def _may_be_first(run: str, char: str) -> bool:
    if run == "*":
        return char.isalpha() or char in _FIRST_IN_EM
    return bool(char) and not char.isspace() and char not in _NOT_FIRST


def _may_be_last(run: str, char: str) -> bool:
    if run == "*":
        return char.isalnum() or char in _LAST_IN_EM
    return bool(char) and not char.isspace() and char not in _NOT_LAST


def _pairs_of_marks(state: StateInline) -> None:
    """Second rule of markdown-it: make tags of the marks that `balance_pairs` has paired."""
    inner = (meta["delimiters"] for meta in state.tokens_meta if meta and "delimiters" in meta)
    for delimiters in (state.delimiters, *inner):
        for delimiter in delimiters:
            if delimiter.end >= 0:
                opening, closing = (
                    state.tokens[delimiter.token],
                    state.tokens[delimiters[delimiter.end].token],
                )
                tag = _TAGS[opening.content]
                opening.type, opening.tag, opening.nesting, opening.content = f"{tag}_open", tag, 1, ""
                closing.type, closing.tag, closing.nesting, closing.content = f"{tag}_close", tag, -1, ""


def _link(state: StateInline, silent: bool) -> bool:
    """Rule of markdown-it: «[text](address)» with an address of the web or of mail. Its own rule also finds labels with
    brackets in them, which costs ten times as much."""
    found = _LINK.match(state.src, state.pos, state.posMax) if not state.linkLevel else None
    if not found or not _allowed_link(found["address"]):
        return False
    if not silent:
        state.pos, end, state.posMax = found.start("label"), state.posMax, found.end("label")
        state.push("link_open", "a", 1).attrs = {"href": state.md.normalizeLink(found["address"])}
        state.linkLevel += 1
        state.md.inline.tokenize(state)
        state.linkLevel -= 1
        state.push("link_close", "a", -1)
        state.posMax = end
    state.pos = found.end()
    return True


def _web_address(state: StateInline, silent: bool) -> bool:
    """Rule of markdown-it: make a link of an http(s) address in the text. Returns whether it found one.

    Runs before `_marks`, so that `*` and `~` stay part of the address.
    """
    position = state.pos
    if state.linkLevel or state.src[position] != ":":
        return False
    scheme = _SCHEME.search(state.src[max(position - 6, 0) : position])
    rest = _AFTER_SCHEME.match(state.src, position) if scheme else None
    if not scheme or not rest:
        return False
    shown = _without_closing_punctuation(scheme[0] + rest[0])
    if len(shown) < len(scheme[0]) + 4 or not _allowed_link(shown) or not state.pending.endswith(scheme[0]):
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
        opening = _BRACKETS.get(last)
        if opening and address.count(last) <= address.count(opening):
            break
        if not opening and last not in ".,;:!?*_~…":
            break
        address = address[:-1]
    return address


def _build() -> MarkdownIt:
    markdown = MarkdownIt("zero")
    markdown.validateLink = _allowed_link  # type: ignore[method-assign]
    markdown.inline.add_terminator_char(LITERAL)
    rules = {
        "line_break": _line_break,
        "literal_character": _literal_character,
        "code_span": _code_span,
        "web_address": _web_address,
        "marks": _marks,
        "link_with_text": _link,
    }
    for name, rule in rules.items():
        markdown.inline.ruler.push(name, rule)
    markdown.inline.ruler2.after("balance_pairs", "pairs_of_marks", _pairs_of_marks)
    markdown.core.ruler.after("text_join", "addresses_without_scheme", _addresses_without_scheme)
    return markdown


_markdown = _build()
