"""Receive uploaded files also while the disk for temporary files is full or read-only."""

import logging
from contextlib import suppress
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler

from content.files.lost import LostUpload

logger = logging.getLogger(__name__)


class TolerantUploadHandler(TemporaryFileUploadHandler):
    """Write a file to the disk, and if that fails, go on with a `LostUpload` in its place.

    Django's own handler raises the error while the form is read, before any view can keep what the person typed.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        self.is_lost = False
        try:
            super().new_file(*args, **kwargs)
        except OSError as error:
            self._lose(error)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.is_lost:
            return
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            self._lose(error)

    def file_complete(self, file_size: int) -> UploadedFile | None:
        if not self.is_lost:
            try:
                return super().file_complete(file_size)
            except OSError as error:
                self._lose(error)
        return LostUpload(name=self.file_name, content_type=self.content_type)

    def upload_interrupted(self) -> None:
        if not self.is_lost:
            super().upload_interrupted()

    def _lose(self, error: OSError) -> None:
        """Delete what was written of the file: part of it would keep the disk full."""
        logger.error("an uploaded file cannot be received: %s", error)
        self.is_lost = True
        file = getattr(self, "file", None)
        if file is not None:
            with suppress(OSError):
                file.close()  # deletes it, and raises the error again for what is not written yet
            del self.file
