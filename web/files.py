"""The form field for several files, and the rows that templates draw for waiting, stored and refused files."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from content.files import RefusedFile
from content.files.streams import MB
from tickets.attachments import rules_for
from tickets.definitions.definition import FileLimits
from tickets.models import Attachment

ICONS = {
    "image": "file-earmark-image",
    "video": "file-earmark-play",
    "archive": "file-earmark-zip",
    "text": "file-earmark-text",
}


def icon_of(attachment: Attachment) -> str:
    """Return the name of the Bootstrap icon for the attachment's kind."""
    if attachment.content_type == "application/pdf":
        return "file-earmark-text"
    return ICONS.get(attachment.kind, "file-earmark")


class FilesField(forms.Field):
    """Field for several files, drawn by templates/fields/dropzone.html.

    It validates nothing: `keep_drafts` inspects the files one by one, so that a refused file does not stop the others.
    """

    widget = forms.FileInput

    def __init__(self, *, limits: FileLimits, compact: bool = False, **kwargs: Any) -> None:
        rules = rules_for(limits)
        super().__init__(
            **{"required": False, "label": _("Archivos adjuntos"), "help_text": rules.sentence(), **kwargs}
        )
        self.accept = rules.accept
        self.max_files = rules.max_files
        self.max_mb = rules.max_bytes // MB
        self.compact = compact
        self.upload_url = ""
        self.uploaded: list[dict[str, Any]] = []

    def clean(self, value: Any) -> Any:
        return value


def waiting_file_row(attachment: Attachment, *, remove_url: str) -> dict[str, Any]:
    """Return what components/_file.html draws for an uploaded file that is not sent yet."""
    return {
        "name": attachment.name,
        "size": attachment.size,
        "state": "error" if attachment.is_infected else "scanning" if attachment.is_held else "ready",
        "note": _stopped(attachment),
        "icon_name": icon_of(attachment),
        "remove_url": remove_url,
        "remove_name": "quitar",
        "remove_value": str(attachment.uuid),
    }


def file_row(attachment: Attachment) -> dict[str, Any]:
    """Return what components/_file.html draws for a file of a message. A held file has no link."""
    row: dict[str, Any] = {
        "name": attachment.name,
        "size": attachment.size,
        "icon_name": icon_of(attachment),
        "state": "scanning" if attachment.is_held and not attachment.is_infected else "",
        "note": _stopped(attachment),
        "href": "" if attachment.is_held else reverse("web:attachment", args=[attachment.uuid]),
    }
    if attachment.thumbnail and not attachment.is_held:
        row["thumb"] = reverse("web:attachment_thumbnail", args=[attachment.uuid])
    return row


def _stopped(attachment: Attachment) -> str:
    """Return the note of a file in which the scanner found malware. Empty for other files, which show their size."""
    return gettext("el antivirus lo detuvo") if attachment.is_infected else ""


def refused_file_row(file: UploadedFile, problem: RefusedFile) -> dict[str, Any]:
    """Return what components/_file.html draws for a refused file, with the reason."""
    return {
        "name": file.name,
        "size": file.size,
        "state": "error",
        "note": str(problem),
        "icon_name": "file-earmark",
    }
