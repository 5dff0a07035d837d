"""What solved tickets propose beside a ticket: each part is taken with one key, and nothing applies itself (S3.20)."""

import html
import re
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from accounts.models import User
from accounts.tests.factories import make_agent, make_department, make_user
from knowledge.articles import Scope
from knowledge.enums import Audience
from knowledge.proposal_uses import Share, share
from knowledge.tests.factories import make_article
from tickets.enums import EventKind
from tickets.models import Message, Ticket
from tickets.search.indexing import index_changed
from tickets.tests.factories import make_process, make_ticket
from tickets.tests.solving import make_solved
from tickets.workflow import properties

from .factories import signed_in, snapshot, text_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true", "HX-Target": "propuesta"}
DONE = "Cambiamos el canal del código a correo."


@pytest.fixture
def agent() -> User:
    return make_agent(make_department(), name="Diego Salazar")


@pytest.fixture
def client(agent: User) -> Client:
    return signed_in(agent)


@pytest.fixture
def solved(agent: User) -> Ticket:
    acceso = make_process().categories.get(key="acceso")
    return make_solved(
        "No llega el código de verificación", done=DONE, severity="critical", category=acceso, assignee=agent
    )


@pytest.fixture
def ticket(solved: Ticket) -> Ticket:
    made = make_ticket(
        make_process(),
        category="plataforma",
        title="El código de verificación no me llega",
        requester=make_user(name="Andrés Mejía"),
    )
    index_changed()
    made.refresh_from_db()
    return made


def url(ticket: Ticket) -> str:
    return reverse("agents:ticket_proposal", args=[ticket.folio])


def fields_in(page: str) -> dict[str, str]:
    """Return what the form of the page posts."""
    form = page[page.index('class="contents" method="post"') :].partition("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))


def take(client: Client, ticket: Ticket, part: str, headers: Any = None, **data: Any) -> Any:
    given = fields_in(text_of(client.get(url(ticket)))) | {"take": part} | data
    return client.post(url(ticket), given, headers=headers or {})


def test_rows_say_what_they_are_why_and_their_key(client: Client, ticket: Ticket, solved: Ticket):
    part = text_of(client.get(url(ticket), headers=HTMX))

    assert "<html" not in part
    assert re.search(rf'Se parece a <a href="[^"]+">{solved.folio}</a>, cierre aprobado', part)
    shown = re.findall(r'data-part="(\w+)".*?aria-keyshortcuts="(\d)"', part)
    assert shown == [("category", "1"), ("severity", "2"), ("assignee", "4"), ("answer", "5")]
    for said in ("Acceso", "Crítica", "Diego Salazar", DONE, "1 de 1"):
        assert said in part
    assert 'aria-keyshortcuts="P"' in part


def test_page_of_the_ticket_asks_for_the_proposal_later(client: Client, ticket: Ticket, solved: Ticket):
    page = text_of(client.get(reverse("agents:ticket", args=[ticket.folio])))

    assert f'hx-get="{url(ticket)}"' in page
    assert f'<a href="{url(ticket)}">Ver casos resueltos parecidos</a>' in page
    assert solved.folio not in page


@pytest.mark.parametrize(
    ("part", "changed"), [("category", "category"), ("severity", "severity"), ("assignee", "assignee")]
)
def test_taking_a_row_changes_it_and_tells_the_history(
    client: Client, ticket: Ticket, solved: Ticket, part: str, changed: str
):
    before = {name: getattr(ticket, name) for name in ("category", "severity", "department", "assignee")}

    assert take(client, ticket, part).status_code == 302

    ticket.refresh_from_db()
    for name, value in before.items():
        assert (getattr(ticket, name) == getattr(solved, name)) == (
            name == changed or value == getattr(solved, name)
        )
    page = text_of(client.get(reverse("agents:ticket", args=[ticket.folio])))
    assert f"propuesto porque se parece a <b>{solved.folio}</b>" in page
    assert "Tomamos la propuesta" in page
    left = text_of(client.get(url(ticket), headers=HTMX))
    assert f'data-part="{part}" data-taken' in left
    assert f'value="{part}" data-key' not in left


def test_taking_everything_sets_all_and_drafts_the_answer(
    client: Client, ticket: Ticket, solved: Ticket, agent: User
):
    response = take(client, ticket, "todo")

    ticket.refresh_from_db()
    assert (ticket.category, ticket.severity, ticket.assignee) == (solved.category, "critical", agent)
    assert response["Location"].endswith(f"?propuesta={solved.folio}#composer")
    page = client.get(response["Location"]).content.decode()
    body = re.search(r'<textarea class="composer__input"[^>]*>([^<]*)</textarea>', page)
    assert body is not None
    assert body[1].startswith("Hola, Andrés.")
    assert DONE in body[1]
    assert "Borrador basado en" in page
    assert not Message.objects.filter(ticket=ticket, from_requester=False).exists()


def test_draft_that_was_typed_stays_before_the_answer(client: Client, ticket: Ticket, solved: Ticket):
    typed = {"mode": "follow_up", "body": "Ya lo veo.", "steps": "", "key": str(uuid.uuid4())}
    client.post(reverse("agents:ticket_draft", args=[ticket.folio]), typed)

    page = client.get(
        reverse("agents:ticket", args=[ticket.folio]), {"propuesta": solved.folio}
    ).content.decode()

    assert re.search(r">Ya lo veo\.\n\nHola, Andrés\.", page)


@pytest.mark.parametrize("folio", ["MA-99999", "x" * 300, "MA-10001' OR 1=1"])
def test_answer_of_another_ticket_is_not_inserted(client: Client, ticket: Ticket, folio: str):
    page = text_of(client.get(reverse("agents:ticket", args=[ticket.folio]), {"propuesta": folio}))

    assert "></textarea>" in page
    assert "Borrador basado en" not in page


def test_same_form_twice_acts_once_and_each_part_by_itself(client: Client, ticket: Ticket):
    given = fields_in(text_of(client.get(url(ticket))))

    for part in ("severity", "severity"):
        client.post(url(ticket), given | {"take": part})
    ticket.refresh_from_db()
    assert ticket.events.filter(kind=EventKind.PROPERTIES).count() == 1
    client.post(url(ticket), given | {"take": "category", "version": ticket.version})
    assert ticket.events.filter(kind=EventKind.PROPERTIES).count() == 2


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_ticket_that_changed_meanwhile_refuses_and_says_so(client: Client, ticket: Ticket, headers: Any):
    given = fields_in(text_of(client.get(url(ticket))))
    properties.change_properties(ticket, actor=make_agent(), difficulty=4)
    before = snapshot(ticket)

    response = client.post(url(ticket), given | {"take": "todo"}, headers=headers)

    assert snapshot(ticket) == before
    shown = response if headers else client.get(response["Location"])
    assert "cambió" in text_of(shown)


@pytest.mark.parametrize(
    "data",
    [
        {"take": "severity", "severity": "enorme"},
        {"take": "category", "category": "999999"},
        {"take": "department", "department": ""},
        {"take": "nada"},
        {"take": ""},
        {"take": "severity", "from_severity": "MA-99999"},
        {"take": "severity", "from_severity": "\0"},
        {"take": "todo", "from_severity": "MA-99999"},
    ],
)
def test_form_that_the_page_did_not_write_changes_nothing(client: Client, ticket: Ticket, data: Any):
    before = snapshot(ticket)

    response = take(
        client, ticket, **{"part": data["take"], **{k: v for k, v in data.items() if k != "take"}}
    )

    assert response.status_code == 302
    assert snapshot(ticket) == before
    assert "ya no se puede tomar" in text_of(client.get(response["Location"]))


def test_source_that_the_agent_may_not_see_is_refused(client: Client, ticket: Ticket):
    secret = make_solved("Otro código de verificación", department="cca")

    take(client, ticket, "severity", from_severity=secret.folio)

    ticket.refresh_from_db()
    assert ticket.severity != "critical"


def test_others_neither_see_nor_take_it(ticket: Ticket, solved: Ticket):
    properties.change_properties(ticket, actor=make_agent(), department=make_department())
    before = snapshot(ticket)

    for user in (ticket.requester, make_user(), make_agent(make_department("cca"))):
        assert user is not None
        assert signed_in(user).get(url(ticket)).status_code == 404
        assert signed_in(user).post(url(ticket), {"take": "todo"}).status_code == 404
    assert Client().get(url(ticket)).status_code == 302
    assert snapshot(ticket) == before
    assert ticket.requester is not None
    seen = text_of(signed_in(ticket.requester).get(f"/tickets/{ticket.folio}/"))
    assert solved.folio not in seen
    assert "propuest" not in seen.lower()


def test_same_solution_is_told_once(client: Client, ticket: Ticket, solved: Ticket):
    again = make_solved("El código de verificación no llega", done=f" {DONE.upper()}")
    other = make_solved("No me llega el código de verificación", done="Otra cosa.")
    index_changed()

    part = text_of(client.get(url(ticket), headers=HTMX)).partition("sec-parecidos")[2]

    assert part.upper().count(DONE.upper()) == 1
    assert other.folio in part
    assert (solved.folio in part) != (again.folio in part)


def aside(client: Client, ticket: Ticket, headers: Any = None, **data: Any) -> Any:
    return client.post(
        reverse("agents:ticket_proposal_aside", args=[ticket.folio]), data, headers=headers or {}
    )


def test_proposal_set_aside_stays_aside_for_everybody(client: Client, ticket: Ticket, solved: Ticket):
    colleague = signed_in(make_agent(ticket.department))
    assert "No se parece" in text_of(client.get(url(ticket), headers=HTMX))

    part = text_of(aside(client, ticket, HTMX))

    assert "Diego Salazar apartó la propuesta: no se parece." in part
    assert solved.folio not in part
    assert solved.folio not in text_of(colleague.get(url(ticket), headers=HTMX))
    assert share() == Share(taken=0, set_aside=1)

    assert solved.folio in text_of(aside(colleague, ticket, HTMX, mostrar="1"))
    assert share().total == 0


def test_setting_aside_without_script_leads_to_the_proposal(client: Client, ticket: Ticket):
    assert aside(client, ticket).url == url(ticket)
    assert "apartó la propuesta" in text_of(client.get(url(ticket)))
    assert aside(client, ticket, donde="parecidos").url == reverse(
        "agents:prepare_ticket", args=[ticket.folio]
    )


def test_what_is_taken_is_counted_once_a_ticket(client: Client, ticket: Ticket):
    take(client, ticket, "category")
    take(client, ticket, "severity")

    assert share() == Share(taken=1, set_aside=0)


def test_proposed_answer_counts_when_it_is_sent(client: Client, ticket: Ticket, solved: Ticket):
    address = reverse("agents:ticket", args=[ticket.folio])
    page = client.get(address, {"propuesta": solved.folio}).text
    assert f'<input type="hidden" name="propuesta" value="{solved.folio}">' in page
    Ticket.objects.filter(pk=ticket.pk).update(standing_checked_at=timezone.now())
    send = reverse("agents:ticket_send", args=[ticket.folio])

    client.post(send, {"mode": "note", "body": "Nota", "key": str(uuid.uuid4()), "propuesta": solved.folio})
    assert share().total == 0
    client.post(
        send, {"mode": "follow_up", "body": "Hola", "key": str(uuid.uuid4()), "propuesta": solved.folio}
    )
    assert share().taken == 1


def test_others_set_nothing_aside(ticket: Ticket):
    for person in (make_user(), make_agent(make_department("otro"))):
        assert aside(signed_in(person), ticket).status_code == 404
    assert share().total == 0


def explained(ticket: Ticket, **fields: Any) -> Any:
    scopes = [Scope(ticket.definition.key)]
    return make_article("Recibir el código", scopes=scopes, **{"words": "código de verificación"} | fields)


def drafted(client: Client, ticket: Ticket, origin: str) -> tuple[str, str]:
    """Return the text that is drafted and what it says it comes from."""
    page = client.get(reverse("agents:ticket", args=[ticket.folio]), {"propuesta": origin}).text
    body = re.search(r'<textarea class="composer__input"[^>]*>([^<]*)</textarea>', page)
    said = page.partition("Borrador basado en")[2].partition("Léelo")[0]
    return html.unescape(body[1]) if body else "", " ".join(strip_tags(said).rstrip("· \n").split())


def test_answer_cites_the_article_that_explains_it(client: Client, ticket: Ticket, solved: Ticket):
    article = explained(ticket)

    text, said = drafted(client, ticket, solved.folio)

    cited = f"Lo explicamos paso a paso aquí: [Recibir el código](http://127.0.0.1:8000{article.address})"
    assert text.split("\n\n")[1:] == [DONE, cited, "¿Nos cuentas si te sirvió?"]
    assert said == f"{solved.folio} y Recibir el código"
    part = text_of(client.get(url(ticket), headers=HTMX))
    assert f"{DONE} Lo explicamos paso a paso aquí: Recibir el código" in part


def test_article_alone_is_an_answer_too(client: Client, ticket: Ticket, solved: Ticket):
    Ticket.objects.filter(pk=solved.pk).update(is_test=True)
    article = explained(ticket)

    part = text_of(client.get(url(ticket), headers=HTMX))
    text, said = drafted(client, ticket, article.slug)

    assert "Hay un artículo que lo explica: Recibir el código." in part
    assert re.findall(r'data-part="(\w+)"', part) == ["answer"]
    assert text.startswith("Hola, Andrés.")
    assert "[Recibir el código](" in text
    assert said == "Recibir el código"


@pytest.mark.parametrize("fields", [{"words": "factura"}, {"audience": Audience.INTERNAL}])
def test_article_that_does_not_fit_is_not_cited(
    client: Client, ticket: Ticket, solved: Ticket, fields: dict[str, Any]
):
    explained(ticket, **fields)

    text, said = drafted(client, ticket, solved.folio)

    assert "Recibir el código" not in text + said


def test_page_without_a_proposal_says_so(client: Client):
    ticket = make_ticket(title="Un asunto que nadie tuvo", description="Nada igual.")

    assert "Ningún caso resuelto que puedas ver se parece a este." in text_of(client.get(url(ticket)))
    assert text_of(client.get(url(ticket), headers=HTMX)).strip() == ""


def test_closed_ticket_shows_no_proposal(client: Client, solved: Ticket):
    page = text_of(client.get(reverse("agents:ticket", args=[solved.folio])))

    assert 'id="propuesta"' not in page


@pytest.mark.parametrize("count", [1, 10])
def test_proposal_takes_the_same_queries(
    client: Client, ticket: Ticket, agent: User, count: int, django_assert_max_num_queries: Any
):
    for number in range(count):
        make_solved(
            f"El código de verificación no llega {number}", done=DONE, assignee=make_agent(make_department())
        )
    index_changed()
    client.get(url(ticket), headers=HTMX)

    with django_assert_max_num_queries(20):
        client.get(url(ticket), headers=HTMX)


def test_category_is_changed_by_hand_too(client: Client, ticket: Ticket, solved: Ticket):
    assert solved.category is not None
    address = reverse("agents:ticket_property", args=[ticket.folio, "category"])
    assert "Acceso" in text_of(client.get(address))

    client.post(address, {"value": solved.category.pk, "version": ticket.version, "key": str(uuid.uuid4())})

    ticket.refresh_from_db()
    assert ticket.category == solved.category
    page = text_of(client.get(reverse("agents:ticket", args=[ticket.folio])))
    assert f"cambió categoría <b>{solved.category}</b>" in page
    assert "propuesto porque" not in page
