"""Notices that no page shows do not fill the session."""

import pytest
from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpResponse
from django.test import RequestFactory

from web.notices import KEPT, NewestNotices

pytestmark = pytest.mark.django_db


def test_only_the_newest_notices_are_kept(rf: RequestFactory):
    request = rf.get("/")
    request.session = SessionStore()
    for number in range(50):
        storage = NewestNotices(request)
        storage.add(messages.INFO, f"Aviso {number} " + "á" * 300)
        answer = HttpResponse()
        storage.update(answer)
        request.COOKIES = {name: cookie.value for name, cookie in answer.cookies.items() if cookie.value}

    shown: list[Message] = list(NewestNotices(request))
    assert [message.message.split()[1] for message in shown] == [str(n) for n in range(50 - KEPT, 50)]
