from pathlib import Path

import pytest

from bench import mail_filling
from bench.mail import Sink
from notifications.models import OutgoingEmail
from notifications.outgoing import delivery


@pytest.mark.django_db
def test_filled_outbox_has_exactly_so_many_mails_that_all_leave(monkeypatch, mailoutbox):
    monkeypatch.setattr(mail_filling, "TICKETS", 6)

    mail_filling.fill(40)

    rows = OutgoingEmail.objects.all()
    assert {mail.audience for mail in rows} == {"requester", "staff"}
    assert {mail.language for mail in rows} == {"es", "en"}
    assert len({mail.message_id for mail in rows}) == 40
    assert delivery.drain() == len(mailoutbox) == 40


def test_copy_is_right_only_while_no_answer_was_read(tmp_path: Path):
    sink = Sink(tmp_path, 0)
    sink.record.write_text(
        "took <once>\nsaid <once>\n"
        "took <killed>\ntook <other>\nsaid <other>\ntook <killed>\nsaid <killed>\n"
        "took <wrong>\nsaid <wrong>\ntook <wrong>\n"
    )

    assert sink.taken().count("<killed>") == 2
    assert sink.repeated() == {"<killed>": False, "<wrong>": True}
