"""Celery's broker of the embedded size: kombu's filesystem transport, but a worker never reads half a message."""

import uuid
from pathlib import Path
from time import monotonic
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Write the message to a file with another suffix, then rename it. Kombu opens the file under its final name
        before writing, so a worker that reads it in between finds it empty and dies."""
        folder = Path(self.data_folder_out)
        file = folder / f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        part = file.with_suffix(".part")
        try:
            part.write_text(dumps(payload))
            part.replace(file)
        except OSError as problem:
            raise ChannelError(f"Cannot add a message to {folder}") from problem


class Transport(filesystem.Transport):
    Channel = Channel
