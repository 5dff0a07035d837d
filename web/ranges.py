"""Serve byte ranges of a file, which video players ask for (RFC 9110 §14)."""

import re
from collections.abc import Iterator
from typing import IO

from django.http import FileResponse, HttpResponse, StreamingHttpResponse

CHUNK = 64 * 1024
RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class Part:
    """The next `length` bytes of an open file. Django closes the file with the response, even if it was not read."""

    def __init__(self, file: IO[bytes], length: int) -> None:
        self.file, self.left = file, length

    def __iter__(self) -> Iterator[bytes]:
        while self.left > 0 and (chunk := self.file.read(min(CHUNK, self.left))):
            self.left -= len(chunk)
            yield chunk

    def close(self) -> None:
        self.file.close()


def partial(
    file: IO[bytes], *, size: int, header: str, content_type: str
) -> FileResponse | StreamingHttpResponse | HttpResponse:
    """Return the response with the one range that the Range header names, or 416 if the file has no such bytes.

    Without a readable single range (also for several ranges) the response is the whole file.
    """
    match = RANGE.fullmatch(header.strip())
    if match is None or match.group(0) == "bytes=-":
        return FileResponse(file, content_type=content_type, headers={"Accept-Ranges": "bytes"})
    first, last = match.groups()
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end:
        file.close()
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    file.seek(start)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Range": f"bytes {start}-{end}/{size}",
        "Content-Length": str(end - start + 1),
    }
    return StreamingHttpResponse(
        Part(file, end - start + 1), status=206, content_type=content_type, headers=headers
    )
