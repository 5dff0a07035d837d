"""The bench's client, and every page of `bench.pages` asked for in one process."""

from urllib.parse import urlencode

import pytest
from django.test import Client

from bench.client import Answer, Journey, Person, UnexpectedAnswer, _FormReader
from bench.counting import ANSWER, ASK
from bench.filling import fill
from bench.pages import Step, cast_of, pages
from bench.prepare import session_of
from tickets.models import Ticket

SIZE = 120


class InProcess:
    """Stands for `Connection`: calls the program instead of a server, with its check of forms' tokens."""

    def ask(self, person, method, path, *, data=None, count=False, is_htmx=False):
        client = Client(enforce_csrf_checks=True)
        for name, value in person.cookies.items():
            client.cookies[name] = value
        headers = ({ASK: "1"} if count else {}) | ({"HX-Request": "true"} if is_htmx else {})
        response = client.generic(
            method,
            path,
            urlencode(data or {}),
            content_type="application/x-www-form-urlencoded",
            headers=headers,
        )
        person.cookies |= {name: cookie.value for name, cookie in client.cookies.items()}
        queries = int(response.headers.get(ANSWER, 0))
        return Answer(response.status_code, response.content, 0.001, queries, response.get("Location", ""))


@pytest.fixture
def with_bench(settings):
    settings.ROOT_URLCONF = "bench.urls"
    settings.MIDDLEWARE = ["bench.counting.count_queries", *settings.MIDDLEWARE]


@pytest.mark.usefixtures("db", "with_bench")
def test_every_page_answers_as_the_bench_expects():
    fill(SIZE, say=lambda line: None)
    cast = cast_of()
    for number, page in enumerate(pages(cast, SIZE)):
        name = page.who[number % len(page.who)] if page.who else ""
        person = Person("", {"desk_session": session_of(cast[name])} if name else {})
        values = page.values[number % len(page.values)] | {"n": str(number)}
        if page.key in ("portal", "poll"):
            values = page.values[page.who.index(name)] | {"n": str(number)}
        journey = Journey(person, values)
        journey.go(InProcess(), page.before)
        seconds, queries = journey.go(InProcess(), page.steps, count=True)
        assert queries > 2
        assert seconds == pytest.approx(0.001 * len(page.steps))
    assert Ticket.objects.count() == SIZE + 1
    assert Ticket.objects.latest("pk").requester_email.endswith("@bench.test")


@pytest.mark.usefixtures("db", "with_bench")
@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (Step("/", status=204), "answers 200, not 204"),
        (Step("/", contains="«{n}»"), "does not contain"),
        (Step(form="nowhere"), "has no form"),
    ],
)
def test_unexpected_answers_are_not_measured(step, problem):
    with pytest.raises(UnexpectedAnswer, match=problem):
        Journey(Person(""), {"n": "1"}, path="/").go(InProcess(), [step])


def test_forms_are_read_as_browsers_send_them():
    reader = _FormReader()
    reader.feed(
        """<form method="get" action="/buscar/"><input name="q" value="x"></form>
        <form method="post" action="/enviar/"><input type="hidden" name="key" value="a&amp;b">
        <input type="checkbox" name="no"><input type="checkbox" name="yes" value="1" checked>
        <input type="radio" name="mode" value="note"><input type="radio" name="mode" value="reply" checked>
        <textarea name="body">Hola:
        sí</textarea><select name="kind"><option value="a">A</option><option value="b" selected>B</option></select>
        <select name="first"><option value="c">C</option><option value="d">D</option></select>
        <button name="send" value="1">Enviar</button><input type="submit" name="other"></form>"""
    )
    [(action, fields)] = reader.forms
    assert action == "/enviar/"
    assert fields.pop("body").split() == ["Hola:", "sí"]
    assert fields == {"key": "a&b", "yes": "1", "mode": "reply", "kind": "b", "first": "c"}
