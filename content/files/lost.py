"""An upload that this machine could not receive."""

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import UploadedFile


class LostUpload(UploadedFile):
    """Stands for an uploaded file that fitted on no disk here. It is empty, and keeps the name."""

    def __init__(self, *, name: str | None, content_type: Any = None) -> None:
        super().__init__(file=BytesIO(), name=name, content_type=content_type, size=0)
