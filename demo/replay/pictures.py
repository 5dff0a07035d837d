"""Decode the stories' pictures on the machine's other processor while the stories are performed.

An upload waits for two processes: one re-encodes the picture, one draws its thumbnail. For the 26 pictures of the
stories that was over a third of the time that loading takes. Equal pictures are decoded once.
"""

import io
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, Any
from unittest.mock import patch

from content.files import make_thumbnail, reencode_image
from content.files.streams import Source
from demo.replay.files import make_file
from tickets import attachments

PICTURES = (".png", ".jpg")


@contextmanager
def decoded_ahead(names: Iterable[str]) -> Iterator[None]:
    """Start decoding the pictures among the files `names`, in this order. Inside the block, uploads of them get the
    same bytes as from the product's own functions, and wait only for a picture that is not finished yet."""
    with ThreadPoolExecutor(1) as thread:
        contents = [make_file(name) for name in dict.fromkeys(names) if name.endswith(PICTURES)]
        ready = _Decoded({content: thread.submit(_decode, content) for content in contents})
        with (
            patch.object(attachments, "reencode_image", ready.reencode_image),
            patch.object(attachments, "make_thumbnail", ready.make_thumbnail),
        ):
            yield


def _decode(content: bytes) -> tuple[bytes, bytes]:
    """Return the re-encoded picture and its thumbnail."""
    with reencode_image(io.BytesIO(content)) as file:
        picture = file.read()
    return picture, make_thumbnail(io.BytesIO(picture), attachments.THUMBNAIL_SIZE)


class _Decoded:
    """Stands in for the functions of `content.files` that `attachments` calls."""

    def __init__(self, results: dict[bytes, Future[tuple[bytes, bytes]]]) -> None:
        self._results = results
        self._thumbnails: dict[bytes, bytes] = {}

    def reencode_image(self, file: Source, **limits: Any) -> IO[bytes]:
        if (result := self._results.get(_content(file))) is None:
            return reencode_image(file, **limits)
        picture, thumbnail = result.result()
        self._thumbnails[picture] = thumbnail
        return io.BytesIO(picture)

    def make_thumbnail(self, file: Source, size: tuple[int, int], **limits: Any) -> bytes:
        return self._thumbnails.get(_content(file)) or make_thumbnail(file, size, **limits)


def _content(file: Source) -> bytes:
    file.seek(0)
    content = bytes(file.read())
    file.seek(0)
    return content
