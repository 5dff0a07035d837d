"""Files uploaded while the virus scanner is unreachable are scanned later."""

import pytest

from content.tests.clamd import clamd, on_loopback
from tickets.attachments import scan_held
from tickets.models import Attachment
from tickets.tests.test_attachments import keep


@pytest.mark.django_db
def test_held_files_are_scanned_when_scanner_returns(settings):
    listener, settings.DESK_CLAMAV = on_loopback()
    listener.close()
    held = keep()
    assert held.is_held
    assert scan_held() == 0, "the scanner is still unreachable"

    for answer, state in ((b"stream: OK\0", "clean"), (b"stream: Eicar-Test FOUND\0", "infected")):
        Attachment.objects.update(scan=Attachment.Scan.PENDING)
        listener, settings.DESK_CLAMAV = on_loopback()
        with clamd(listener, answer=answer):
            assert scan_held() == 1
        held.refresh_from_db()
        assert held.scan == state
        assert scan_held() == 0, "a scanned file is not scanned again"


@pytest.mark.django_db
def test_scan_held_continues_after_a_missing_file(settings, caplog):
    lost, held = keep(), keep()
    Attachment.objects.update(scan=Attachment.Scan.PENDING)
    lost.file.storage.delete(lost.file.name)
    listener, settings.DESK_CLAMAV = on_loopback()
    with clamd(listener, answer=b"stream: OK\0"):
        assert scan_held() == 1
    held.refresh_from_db()
    assert held.scan == "clean"
    assert f"attachment {lost.pk} cannot be scanned" in caplog.text
