"""The mark by which a browser keeps the drafts of different people apart."""

import re

import pytest
from django.test import Client

from accounts.models import User
from accounts.tests.factories import make_user

pytestmark = pytest.mark.django_db


def mark(client: Client) -> str:
    return re.search(r'<body[^>]* data-person="([^"]*)"', client.get("/").content.decode())[1]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_pages_carry_a_mark_of_their_reader():
    ana, luis = make_user(), make_user()
    marks = [mark(signed_in(ana)), mark(signed_in(ana)), mark(signed_in(luis)), mark(Client())]
    assert marks[0] == marks[1] != marks[2]
    assert marks[3] == "-"
    assert str(ana.pk) != marks[0]
    assert ana.email not in marks[0]
