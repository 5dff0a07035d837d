"""Rules for every page of every person, as the browser gets it: one language, one way of writing dates, valid HTML."""

import re
from collections.abc import Callable, Iterator
from functools import cache as remembered
from html.parser import HTMLParser

import pytest
from django.db import transaction
from django.test import override_settings
from django.utils.html import escape

from accounts.models import User
from helpdesk.tests.every_page import Seen, every_page, write_everywhere
from helpdesk.tests.html_rules import faults_of
from notifications.enums import MailState
from notifications.models import OutgoingEmail
from notifications.outgoing import composing
from notifications.outgoing.emails import NotSent
from notifications.tests.factories import make_event, make_message
from tickets.enums import Template
from tickets.models import Ticket

TYPED = "Zq"  # no word of any language
pytestmark = [pytest.mark.slow, pytest.mark.django_db]

SPANISH = frozenset(
    """
    el la los las del que para con por una tu tus su sus está están este esta estos estas ese esa lo
    le les al como cuando donde qué cómo más ya fue son hay sin sobre desde hasta entre mi mis ni sí
    y
    """.split(),  # noqa: SIM905
)
ENGLISH = frozenset(
    """
    the of and to is are for with your you this that these from when who what how an not have was
    were by at on it its will can add view change delete
    """.split(),  # noqa: SIM905
)
HIDDEN = (
    "value",
    "name",
    "id",
    "class",
    "href",
    "src",
    "action",
    "role",
    "type",
    "lang",
    "content",
    "for",
    "form",
)
# What is said in the language of the person who reads the mail, and names that are the same in both languages.
OTHERS_LANGUAGE = ("data-insert",)
PLACES = re.compile(
    r"^(?:Afri|Améri|Ameri|Antár|Antar|Asia|Atl|Austral|Euro|Índ|Indi|Pací|Paci)[^·]*· |^Search$|^has$"
)
SAME = {"Mesa de ayuda", "Bogotá", "La Paz", "Asunción", "El Salvador"}


class Words(HTMLParser):
    """The texts of a page that people see or hear, without those that another language is declared for."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.times: list[tuple[str, bool]] = []
        self._silent: list[str] = []
        self._time: bool | None = None
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self._silent:
            self._silent += [tag] if tag == self._silent[0] else []
        elif tag in ("script", "style", "textarea") or ("lang" in given and tag != "html"):
            self._silent.append(tag)
        if tag == "time":
            self._time = given.get("data-behaviour") == "relative-time"
        button = tag in ("button", "input") and given.get("type") in ("submit", "button") and tag == "input"
        for name, value in attrs:
            spoken = button if name == "value" else name not in HIDDEN and not name.startswith("hx-")
            if value and spoken and not self._silent and name not in OTHERS_LANGUAGE and " " in value:
                self.texts.append(" ".join(value.split()))

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag == self._silent[-1]:
            self._silent.pop()
        if tag == "time":
            self._time = None

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text and not self._silent:
            self.texts.append(text)
            if self._time is not None:
                self.times.append((text, self._time))


def said_in(language: set[str], text: str) -> bool:
    if PLACES.search(text) or text in SAME:
        return False
    words = set(re.findall(r"[^\W\d_]+", text.lower()))
    return bool(words & language) or (language is SPANISH and bool(re.search("[áéíóúñ¿¡]", text.lower())))


@pytest.fixture(scope="module")
def pages(django_db_setup, django_db_blocker) -> Iterator[Callable[[str], list[Seen]]]:
    """A function that returns every page in a language. Each is drawn once for all tests of this file."""
    with django_db_blocker.unblock(), override_settings(DESK_NUDGE_WORKERS=False):
        outer = transaction.atomic()
        outer.__enter__()
        write_everywhere(TYPED)
        yield remembered(lambda language: list(every_page(language)))
        transaction.set_rollback(True)
        outer.__exit__(None, None, None)


def where(pages: list[Seen], faults: Callable[[Seen], list[str]]) -> str:
    """Return each fault with the first page that has it, and on how many pages it is."""
    found: dict[str, list[str]] = {}
    for page in pages:
        for fault in faults(page):
            found.setdefault(fault, []).append(str(page))
    return "\n".join(f"{fault} ({len(places)}: {places[0]})" for fault, places in found.items())


def test_everybody_sees_pages(pages):
    seen = pages("es")
    assert len(seen) > 200
    assert len({page.person for page in seen}) == 9
    assert sum(TYPED in page.html for page in seen) > 100


def test_english_pages_say_nothing_in_spanish(pages):
    found = where(
        pages("en"), lambda page: [text for text in Words(page.html).texts if said_in(SPANISH, text)]
    )
    assert not found, found


def test_spanish_pages_say_nothing_in_english(pages):
    found = where(
        pages("es"), lambda page: [text for text in Words(page.html).texts if said_in(ENGLISH, text)]
    )
    assert not found, found


def mails_in(language: str) -> Iterator[Seen]:
    """Yield subject, text and HTML of each mail, to a requester with and without an account and to the staff."""
    User.objects.update(language=language)
    Ticket.objects.update(requester_language=language)
    opened = Ticket.objects.open().exclude(assignee=None)
    OutgoingEmail.objects.update(state=MailState.SENT)
    for ticket in (opened.exclude(requester=None).first(), opened.filter(requester=None).first()):
        for template in Template:
            message = make_message(ticket, author=ticket.assignee, body=TYPED)
            make_event(ticket, ("requester", template), ("role:supervisor", template), message=message)
    for mail in OutgoingEmail.objects.filter(state=MailState.QUEUED):
        try:
            message = composing.compose(composing.load(mail.pk)).message
        except NotSent:
            continue
        plain = " ".join(line for line in message.body.splitlines() if "://" not in line)
        html = f"<p>{escape(message.subject)}</p><p>{escape(plain)}</p>{message.alternatives[0].content}"
        yield Seen(mail.recipient, str(mail.template), html)


@pytest.mark.parametrize(("language", "other"), [("en", SPANISH), ("es", ENGLISH)])
def test_mails_are_written_in_one_language(pages, language, other):
    mails = list(mails_in(language))
    assert len({mail.address for mail in mails}) >= len(Template) - 3  # some are no longer needed, or merged
    found = where(mails, lambda mail: [text for text in Words(mail.html).texts if said_in(other, text)])
    assert not found, found


@pytest.mark.parametrize("language", ["es", "en"])
def test_every_page_is_valid_html(pages, language):
    found = where(
        pages(language), lambda page: [re.sub(r"^line \d+: ", "", fault) for fault in faults_of(page.html)]
    )
    assert not found, found


DAY = r"(?:hoy|ayer|mañana|today|yesterday|tomorrow|\w{3} \d{1,2} \w{3,4}|\d{1,2} \w{3,4} \d{4})"
DATE = re.compile(rf"{DAY}, \d{{1,2}}:\d\d|{DAY}", re.IGNORECASE)
AGO = re.compile(r"hace \d+ (?:min|h|d)|\d+ (?:min|h|d) ago", re.IGNORECASE)
ONLY_AGO = re.compile(
    rf"(?:\w+ )?(?:{AGO.pattern})", re.IGNORECASE
)  # and «venció hace 1 h 49 min» is no moment
JUST_NOW = re.compile("ahora|now")
SINCE = re.compile(r"<?\d+ (?:min|h|d)(?: \d+ (?:min|h))?")  # the column «Activ.», which is no moment
DIGITS = re.compile(
    r"\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b|\b\d{4}-\d\d-\d\d\b|\b\d{1,2}:\d\d ?[ap]\.? ?m", re.IGNORECASE
)


def wrong_dates(page: Seen) -> list[str]:
    if page.person == "an administrator":  # Django's own pages
        return []
    words = Words(page.html)
    wrong = [text for text in words.texts if DIGITS.search(text)]
    shown = [(text.replace("\N{NO-BREAK SPACE}", " "), lives) for text, lives in words.times]
    wrong += [
        text
        for text, _lives in shown
        if not any(form.fullmatch(text) for form in (DATE, AGO, JUST_NOW, SINCE))
    ]
    ages = {text for text, lives in shown if lives} | {
        text for text in words.texts if ONLY_AGO.fullmatch(text)
    }
    dates = {text for text, lives in shown if not lives and DATE.fullmatch(text)}
    return wrong + ([f"{min(ages)} beside {min(dates)}"] if ages and dates else [])


@pytest.mark.parametrize("language", ["es", "en"])
def test_each_page_writes_dates_in_one_way(pages, language):
    found = where(pages(language), wrong_dates)
    assert not found, found


FAULTY = [
    ("<span><details><summary>x</summary></details></span>", "<details> in <span>"),
    ("<p><form></form></p>", "<form> in <p>"),
    ("<a href=/><button>x</button></a>", "<button> in <a> or <button>"),
    ("<p id=a></p><p id=a></p>", "id a is there twice"),
    ("<label for=b>x</label>", "for=b points to nothing"),
    ("<p class=a class=b></p>", "<p> has class twice"),
    ("<ul><p></p></ul>", "<p> in <ul>"),
    ("<div></p></div>", "</p> closes <div>"),
    ("<div><p></div>", "</div> closes <p>"),
    ('<time datetime="2026-11-26T17:04:21.428219+00:00">x</time>', "<time> with datetime"),
]


@pytest.mark.parametrize(("body", "fault"), FAULTY)
def test_faults_of_html_are_found(body, fault):
    whole = "<!doctype html><html><head><title>x</title></head><body><main>{}</main></body></html>"
    assert faults_of(whole.format("<p>x</p>")) == []
    assert any(fault in found for found in faults_of(whole.format(body)))
