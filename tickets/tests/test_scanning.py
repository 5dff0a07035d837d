"""Files that arrive while the virus scanner is away are judged later."""

import pytest

from content.tests.clamd import clamd, on_loopback
from tickets.attachments import scan_held
from tickets.models import Attachment
from tickets.tests.test_attachments import keep


@pytest.mark.django_db
def test_files_that_came_while_the_scanner_was_away_get_their_verdict_later(settings):
    listener, settings.DESK_CLAMAV = on_loopback()
    listener.close()
    held = keep()
    assert held.is_held
    assert scan_held() == 0, "still away"

    for answer, state in ((b"stream: OK\0", "clean"), (b"stream: Eicar-Test FOUND\0", "infected")):
        Attachment.objects.update(scan=Attachment.Scan.PENDING)
        listener, settings.DESK_CLAMAV = on_loopback()
        with clamd(listener, answer=answer):
            assert scan_held() == 1
        held.refresh_from_db()
        assert held.scan == state
        assert scan_held() == 0, "asked once"


@pytest.mark.django_db
def test_a_file_that_is_not_in_the_store_keeps_no_other_from_its_verdict(settings, caplog):
    lost, held = keep(), keep()
    Attachment.objects.update(scan=Attachment.Scan.PENDING)
    lost.file.storage.delete(lost.file.name)
    listener, settings.DESK_CLAMAV = on_loopback()
    with clamd(listener, answer=b"stream: OK\0"):
        assert scan_held() == 1
    held.refresh_from_db()
    assert held.scan == "clean"
    assert f"attachment {lost.pk} cannot be scanned" in caplog.text
