"""Rules for all templates: pages obey the content security policy, work without script, and use only classes, icons
and behaviours that exist."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from django.template.loader import get_template

from tools import assets

from .code import PACKAGES, ROOT, modules_of
from .css import classes_of

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MAIL = re.compile(r"templates/(emails|account/email|mfa/email|notifications)/")
PAGES = [path for path in TEMPLATES if not MAIL.search(path.as_posix())]
COMPONENTS = sorted((ROOT / "templates" / "components").glob("*.html"))
# Classes that htmx and crispy write.
FROM_LIBRARIES = {"htmx-indicator", "htmx-request", "asteriskField", "requiredField"}
HOLE = "\0"  # replaces each template tag, so that class names with a tag inside can be left out
TAG = re.compile(r"<[a-zA-Z](?:\{\{.*?\}\}|\{%.*?%\}|\"[^\"]*\"|'[^']*'|[^>])*>", re.DOTALL)


def source(path: Path) -> str:
    """Return the template without its comments."""
    return re.sub(
        r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", path.read_text("utf-8"), flags=re.DOTALL
    )


def bare(text: str) -> str:
    return re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " ", text)


def test_no_page_trusts_a_text():
    """Only Python decides that a text is HTML, with `mark_safe` or `format_html`. Escaped text in a mail's subject is
    the other way round: it would show `&amp;`."""
    for path in PAGES:
        assert not re.search(r"\|\s*safe(seq)?\b|autoescape off", source(path)), path


def at_fault(paths: list[Path], check: Callable[[Path], Iterable[str]]) -> list[str]:
    """Return one line for each fault that `check` finds: «templates/components/_pill.html: <fault>»."""
    return [f"{path.relative_to(ROOT)}: {fault}" for path in paths for fault in check(path)]


def symbols() -> set[str]:
    return set(re.findall(r'<symbol id="(?:bi-)?([^"]+)"', (ROOT / "static/icons.svg").read_text("utf-8")))


def test_every_template_compiles():
    for path in TEMPLATES:
        get_template(path.relative_to(ROOT / "templates").as_posix())


def test_no_page_has_inline_style_script_or_handler():
    def check(path: Path) -> Iterable[str]:
        for tag in map(bare, TAG.findall(source(path))):
            if re.search(r"\s(style|on[a-z]+)\s*=|javascript:|^<style", tag):
                yield tag
            if tag.startswith("<script") and "src=" not in tag:
                yield tag

    assert at_fault(PAGES, check) == []


def test_htmx_only_improves_what_works_without_it():
    """Each element with hx-get, hx-post and so on also has an href or an action, or is a submit button.

    Exempt are elements that refresh themselves (every, load, revealed, an event from the body), because they repeat
    what the page already shows, and those that listen to a field (change, input), because sending the form would show
    the same.
    """

    def check(path: Path) -> Iterable[str]:
        for tag in TAG.findall(source(path)):
            fetches = re.search(r"\shx-(get|post|put|patch|delete)=", tag)
            by_itself = re.search(r'hx-trigger="[^"]*(every|load|revealed|from:body|change|input)', tag)
            if fetches and not by_itself and not re.search(r'\s(href|action|formaction)=|type="submit"', tag):
                yield tag

    assert at_fault(PAGES, check) == []


def test_every_component_begins_with_its_contract():
    def check(path: Path) -> Iterable[str]:
        text = path.read_text("utf-8")
        if not re.match(
            r"\{# vars: .+ #\}\n|\{% comment %\}\nvars:\n  \w.*?\{% endcomment %\}\n", text, re.DOTALL
        ):
            yield text.splitlines()[0]

    assert at_fault(COMPONENTS, check) == []


def test_template_lines_have_at_most_160_characters():
    """Exempt are lines that cannot be broken: a single Django tag or, in mails, an element with an inline style."""

    def check(path: Path) -> Iterable[str]:
        for line in path.read_text("utf-8").splitlines():
            whole = (
                r"\{%(?:(?!%\}).)*%\}|<[^<>]*style=[^<>]*>"
                if MAIL.search(path.as_posix())
                else r"\{%(?:(?!%\}).)*%\}"
            )
            if len(line) > 160 and not re.fullmatch(whole, line.strip()):
                yield line.strip()

    assert at_fault(TEMPLATES, check) == []


def test_no_comment_crosses_a_line():
    """Django ends {# #} only on the same line; it shows a longer comment on the page."""

    def check(path: Path) -> Iterable[str]:
        return (line for line in path.read_text("utf-8").splitlines() if line.count("{#") != line.count("#}"))

    assert at_fault(TEMPLATES, check) == []


def test_every_icon_is_in_the_sprite():
    """Add a missing icon with `python -m tools.vendor --icons name`."""
    known = symbols()

    def in_template(path: Path) -> Iterable[str]:
        names = re.findall(r'\{%\s*icon "([^"]+)"|icon_name="([^"]+)"', source(path))
        return {"".join(pair) for pair in names} - known

    def in_code(path: Path) -> Iterable[str]:
        return set(re.findall(r'"icon(?:_name)?": "([\w-]+)"', path.read_text("utf-8"))) - known

    code = list(modules_of(*PACKAGES))
    assert at_fault(TEMPLATES, in_template) + at_fault(code, in_code) == []


def test_every_named_behaviour_is_in_main_js():
    main = (assets.STATIC / "js/main.js").read_text("utf-8")
    known = set(re.findall(r'^  "?([\w-]+)"?[,:]', main, re.MULTILINE))

    def check(path: Path) -> Iterable[str]:
        named = re.findall(r'data-behaviour="([^"]+)"', source(path))
        return {word for names in named for word in bare(names).split()} - known

    assert at_fault(PAGES, check) == []


def test_every_class_of_a_page_has_a_style():
    """A class without a style has no effect and no error. static/css/bootstrap chooses the parts of Bootstrap."""
    styled = classes_of((assets.DIST / "agents.css").read_text("utf-8"))
    styled |= classes_of((assets.DIST / "portal.css").read_text("utf-8"))
    styled |= classes_of((assets.DIST / "assistant.css").read_text("utf-8"))

    def check(path: Path) -> Iterable[str]:
        text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", HOLE, source(path))
        words = {
            word.strip(HOLE) for names in re.findall(r'\bclass="([^"]*)"', text) for word in names.split()
        }
        whole = {word for word in words if word and HOLE not in word and not word.endswith("-")}
        return whole - styled

    assert at_fault(PAGES, check) == []


def test_every_styled_class_is_used():
    """The style sheets keep no classes of removed or future parts."""
    sources = [*TEMPLATES, *(ROOT / "static/js").rglob("*.js"), *modules_of(*PACKAGES)]
    texts = [path.read_text("utf-8") for path in sources]
    words = {word for text in texts for word in re.findall(r"[\w-]+", text)}
    families = {name for text in texts for name in re.findall(r"([a-z][\w-]*--?)\{", text)}

    def check(path: Path) -> Iterable[str]:
        unused = classes_of(path.read_text("utf-8")) - words - FROM_LIBRARIES
        return {name for name in unused if not any(map(name.startswith, families))}

    ours = [path for path in (ROOT / "static/css").rglob("*.css") if path.name != "admin.css"]
    assert len(ours) > 40
    assert at_fault(ours, check) == []


def test_templates_contain_no_exclamation_marks():
    assert at_fault(TEMPLATES, lambda path: re.findall(r".*¡.*", source(path))) == []
