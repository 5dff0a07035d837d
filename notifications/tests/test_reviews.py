"""Mails about reviews of articles."""

import pytest

from accounts.tests.factories import make_agent, make_supervisor
from knowledge import reviews
from knowledge.tests.factories import make_draft
from notifications.models import OutgoingEmail

pytestmark = pytest.mark.django_db


def test_reviewer_is_told_and_then_who_asked():
    asker, reviewer = make_agent(name="Diego Salazar"), make_supervisor(name="Ana Blanco", language="en")
    draft = make_draft("Pagar con tarjeta", actor=asker)

    reviews.ask(draft, actor=asker, reviewer=reviewer, note="Mira el paso 2")
    reviews.answer(draft, actor=reviewer, said="Todo bien")

    asked, answered = OutgoingEmail.objects.order_by("pk")
    assert (asked.recipient, asked.subject) == (
        reviewer.email,
        "Diego Salazar asks you to review “Pagar con tarjeta”",
    )
    assert "«Mira el paso 2»" in asked.text
    assert f"/agentes/conocimiento/{draft.slug}/editar/" in asked.text
    assert (answered.recipient, answered.subject) == (asker.email, "Ana Blanco revisó «Pagar con tarjeta»")
    assert "Todo bien" in answered.html


def test_who_wants_no_mail_gets_none():
    asker, reviewer = make_agent(), make_supervisor(notify_by_email=False)

    reviews.ask(make_draft(actor=asker), actor=asker, reviewer=reviewer)

    assert not OutgoingEmail.objects.exists()
    assert reviews.asked_of(reviewer).exists()
