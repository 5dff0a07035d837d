"""Long conversations: a page shows the newest messages and a link to all of them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from tickets.enums import MessageKind, Purpose
from tickets.models import Message, Ticket
from tickets.requesters import guests
from tickets.workflow.conversation import RECENT
from tickets.workflow.perform import perform

from .browsing import html, url
from .factories import SOLUTION

pytestmark = pytest.mark.django_db
MORE = "Ver la conversación desde el principio"


def say(ticket: Ticket, count: int) -> None:
    Message.objects.bulk_create(
        Message(
            ticket=ticket,
            kind=MessageKind.FOLLOW_UP,
            author_name="La mesa",
            body=f"Aviso número {number}.",
            created_at=timezone.now() + timedelta(seconds=number),
        )
        for number in range(1, count + 1)
    )


def test_long_conversation_shows_newest_and_links_whole(in_work: Ticket, customer_client: Client):
    say(in_work, RECENT + 1)

    page, whole = html(customer_client, url(in_work)), html(customer_client, f"{url(in_work)}?completa")

    assert page.count("Aviso número") == RECENT
    assert "Aviso número 1." not in page
    assert in_work.messages.first().body not in page
    assert f'href="{url(in_work)}?completa"' in page
    assert MORE in page
    assert whole.count("Aviso número") == RECENT + 1
    assert in_work.messages.first().body in whole
    assert MORE not in whole


def test_updates_of_a_whole_conversation_stay_whole(in_work: Ticket, customer_client: Client):
    say(in_work, RECENT + 1)
    updates = url(in_work, "novedades/")

    assert f'hx-get="{updates}?completa"' in html(customer_client, f"{url(in_work)}?completa")
    assert html(customer_client, f"{updates}?completa").count("Aviso número") == RECENT + 1
    assert html(customer_client, updates).count("Aviso número") == RECENT


def test_steps_are_complete_when_messages_are_cut(in_work: Ticket, customer_client: Client):
    filed = in_work.events.get(kind="filed").at.isoformat(timespec="seconds")
    assert html(customer_client, url(in_work)).count(f'datetime="{filed}"') > 1
    say(in_work, RECENT + 1)

    page = html(customer_client, url(in_work))

    assert f'datetime="{filed}"' in page
    assert "Tu solicitud pasó a" not in page


def test_approval_page_links_to_its_own_conversation(in_work: Ticket, agent: User, client: Client):
    perform(in_work, "pedir_aprobacion", actor=agent, data=SOLUTION)
    say(in_work, RECENT)
    link = guests.issue(in_work, purpose=Purpose.APPROVE, email=in_work.requester_email)
    client.get(f"/enlace/{link}/")

    page = f"/invitado/{in_work.folio}/cierre/"

    assert f'href="{page}?completa"' in html(client, page)


def test_messages_are_read_without_joins(
    in_work: Ticket, customer_client: Client, django_assert_max_num_queries: Any
):
    with django_assert_max_num_queries(16) as captured:
        customer_client.get(url(in_work))

    said = [query["sql"] for query in captured if 'FROM "tickets_message"' in query["sql"]]
    assert said
    assert not any("JOIN" in sql for sql in said)
