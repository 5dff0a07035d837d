"""Conversations with the assistant: whose they are, and what no longer changes (S0.8)."""

import pytest

from accounts.tests.factories import make_user
from tickets import chats
from tickets.models import Chat
from tickets.tests.factories import make_ticket

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S0.8")]


def test_filed_conversation_no_longer_changes():
    chat, ticket = chats.begin(visitor="v"), make_ticket()
    chats.attach(chat, ticket, chats.line("Título"), chats.line("No abre", mine=True))

    chats.go_on(chat, chats.line("tarde"), path="ask")
    chats.attach(chat, make_ticket(), chats.line("otra vez"))

    chat.refresh_from_db()
    assert [line["text"] for line in chat.lines] == ["Título", "No abre"]
    assert (chat.ticket, chat.path) == (ticket, "")


def test_ticket_has_one_conversation():
    first, second, ticket = chats.begin(visitor="v"), chats.begin(visitor="w"), make_ticket()
    chats.attach(first, ticket)

    chats.attach(second, ticket)

    second.refresh_from_db()
    assert second.ticket is None


def test_line_has_no_harmful_characters_and_a_greatest_length():
    line = chats.line("hola\x00\u202e" + "x" * 100_000)

    assert "\x00" not in line["text"]
    assert "\u202e" not in line["text"]
    assert len(line["text"]) <= chats.LONGEST_LINE


def test_account_finds_its_own_conversation_and_nobody_elses():
    ana, eva = make_user(), make_user()
    mine = chats.begin(visitor="v", owner=ana)
    chats.begin(visitor="v", owner=eva)

    assert chats.find_current(visitor="v", user=ana) == mine
    assert chats.find_current(visitor="v", user=None) is None


def test_conversation_of_a_frame_is_found_by_its_secret_only():
    framed = chats.begin(digest="a" * 64)
    chats.begin(visitor="v")

    assert chats.find_by_digest("a" * 64) == framed
    assert chats.find_by_digest("") is None
    assert chats.find_current(visitor="", user=None) is None


def test_ended_conversation_is_found_by_nobody():
    chat = chats.begin(visitor="v", owner=make_user(), digest="")
    chats.attach(chat, make_ticket())

    chats.end(chat)

    kept = Chat.objects.get()
    assert (kept.visitor, kept.owner, kept.digest) == ("", None, "")
