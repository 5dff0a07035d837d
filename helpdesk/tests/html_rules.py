"""The rules of HTML that a browser mends in silence: nesting, ids, labels and attributes.

The Nu checker finds the same; this one needs no Java, and takes htmx's attributes as they are."""

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser

VOID = frozenset(
    """
    area base br col embed hr img input link meta source track wbr
    """.split(),  # noqa: SIM905
)
PHRASING = frozenset(
    """
    a abbr audio b bdi bdo br button canvas cite code data datalist del dfn em i iframe img input
    ins kbd label map mark math meter noscript object output picture progress q ruby s samp script
    select small span strong sub sup svg template textarea time u var video wbr link meta
    """.split(),  # noqa: SIM905
)
HOLDS_PHRASING = frozenset(
    """
    abbr b bdi bdo button cite code data dfn em h1 h2 h3 h4 h5 h6 i kbd label legend mark meter
    output p pre progress q s samp small span strong sub summary sup time u var
    """.split(),  # noqa: SIM905
)
"""Elements with phrasing content only. `a`, `ins` and `del` take what their parent takes."""
CHILDREN = {
    "ul": {"li", "script", "template"},
    "ol": {"li", "script", "template"},
    "dl": {"dt", "dd", "div", "script", "template"},
    "table": {"caption", "colgroup", "thead", "tbody", "tfoot", "tr"},
    "thead": {"tr"},
    "tbody": {"tr"},
    "tfoot": {"tr"},
    "tr": {"td", "th"},
    "select": {"option", "optgroup", "hr"},
    "optgroup": {"option"},
    "option": set(),
    "textarea": set(),
    "head": {"title", "meta", "link", "script", "style", "base", "noscript"},
    "html": {"head", "body"},
}
PARENTS = {
    "li": {"ul", "ol", "menu", "template"},
    "dt": {"dl", "div"},
    "dd": {"dl", "div"},
    "td": {"tr"},
    "th": {"tr"},
    "option": {"select", "optgroup", "datalist"},
    "summary": {"details"},
    "legend": {"fieldset"},
    "figcaption": {"figure"},
}
INTERACTIVE = {"a", "button", "details", "iframe", "label", "select", "textarea", "input"}
LABELABLE = {"button", "input", "meter", "output", "progress", "select", "textarea"}
REFERENCES = (
    "aria-labelledby",
    "aria-describedby",
    "aria-controls",
    "aria-owns",
    "aria-activedescendant",
    "for",
    "form",
    "list",
)
TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:?\d\d)?)?|P[\dTDHMS]+")


class Document(HTMLParser):
    """Reads a page and collects its faults in `faults`, each with its line."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.ids: dict[str, str] = {}
        self.references: list[tuple[int, str, str]] = []
        self.count: Counter[str] = Counter()
        self.feed(html)
        self.close()
        for tag, _attributes, _children in self.open:
            self.fault(f"<{tag}> is never closed")
        for line, attribute, name in self.references:
            if name not in self.ids:
                self.faults.append(f"line {line}: {attribute}={name} points to nothing")
            elif attribute == "for" and self.ids[name] not in LABELABLE:
                self.faults.append(f"line {line}: for={name} points to <{self.ids[name]}>")
        if self.count["main"] != 1 or self.count["title"] < 1:
            self.fault(f"{self.count['main']} <main> and {self.count['title']} <title>")

    def fault(self, text: str) -> None:
        self.faults.append(f"line {self.getpos()[0]}: {text}")

    def within(self, *tags: str) -> bool:
        return any(tag in tags for tag, _attributes, _children in self.open)

    def holder(self) -> str:
        """Return the element whose rules decide what may come next: of `a` and the like, the parent."""
        return next((tag for tag, _a, _c in reversed(self.open) if tag not in ("a", "ins", "del")), "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.count[tag] += 1
        for fault in (*self.misplaced(tag, given), *self.wrong_attributes(tag, attrs)):
            self.fault(fault)
        for name in REFERENCES:
            for word in (given.get(name) or "").split():
                self.references.append((self.getpos()[0], name, word))
        if self.open:
            self.open[-1][2].append(tag)
        if name := given.get("id"):
            if name in self.ids:
                self.fault(f"id {name} is there twice")
            self.ids[name] = tag
        if tag not in VOID:
            self.open.append((tag, given, []))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            if not self.within("svg", "math"):
                self.fault(f"<{tag}/> does not close itself")
            self.open.pop()

    def misplaced(self, tag: str, given: dict[str, str | None]) -> Iterator[str]:
        if self.within("svg", "math"):
            return
        parent, holder = (self.open[-1][0] if self.open else ""), self.holder()
        if holder in HOLDS_PHRASING and tag not in PHRASING:
            yield f"<{tag}> in <{holder}>"
        if parent in CHILDREN and tag not in CHILDREN[parent]:
            yield f"<{tag}> in <{parent}>"
        if tag in PARENTS and parent not in PARENTS[tag]:
            yield f"<{tag}> in <{parent}>"
        if parent == "details" and not self.open[-1][2] and tag != "summary":
            yield f"<details> begins with <{tag}>"
        interactive = tag in INTERACTIVE - {"label"} and given.get("type") != "hidden"
        if (interactive or "tabindex" in given) and self.within("a", "button"):
            yield f"<{tag}> in <a> or <button>"
        if tag in ("form", "label", "main") and self.within(tag):
            yield f"<{tag}> in <{tag}>"

    def wrong_attributes(self, tag: str, attrs: list[tuple[str, str | None]]) -> Iterator[str]:
        given = dict(attrs)
        yield from (
            f"<{tag}> has {name} twice"
            for name, times in Counter(name for name, _v in attrs).items()
            if times > 1
        )
        if any(
            not name or not re.fullmatch(r"[a-z][a-z0-9:_.-]*", name) for name in given
        ) and not self.within("svg"):
            yield f"<{tag}> has a wrong attribute: {sorted(given)}"
        if "id" in given and not re.fullmatch(r"\S+", given["id"] or ""):
            yield f"<{tag}> has a wrong id: {given['id']!r}"
        if (
            tag == "input"
            and given.get("type") == "hidden"
            and any(name.startswith("aria-") for name in given)
        ):
            yield f"hidden input {given.get('name')} has ARIA attributes"
        if tag == "img" and "alt" not in given:
            yield "<img> without alt"
        if tag == "time" and "datetime" in given and not TIME.fullmatch(given["datetime"] or ""):
            yield f"<time> with datetime {given['datetime']!r}"
        if given.get("role") == "switch" and tag == "button" and given.get("type") == "submit":
            yield "a button with role=switch names its type submit"

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            self.fault(f"</{tag}>")
        elif not self.open or self.open[-1][0] != tag:
            self.fault(f"</{tag}> closes <{self.open[-1][0] if self.open else ''}>")
            if self.within(tag):
                while self.open.pop()[0] != tag:
                    pass
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open and self.open[-1][0] in CHILDREN.keys() - {"option", "textarea"}:
            self.fault(f"text in <{self.open[-1][0]}>: {data.strip()[:30]}")


def faults_of(html: str) -> list[str]:
    """Return what is wrong in a page, one line for each fault."""
    return Document(html).faults
