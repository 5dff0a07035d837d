"""Serve byte ranges of a file, which video players ask for (RFC 9110 §14)."""

import re
from collections.abc import Callable, Iterator

from django.http import HttpResponse, StreamingHttpResponse

from content.stores.store import Readable

CHUNK = 64 * 1024
RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class Part:
    """The next `length` bytes of an open file. It closes the file after the last one; Django closes it with the
    response, even if it was not read."""

    def __init__(self, file: Readable, length: int) -> None:
        self.file, self.left = file, length

    def __iter__(self) -> Iterator[bytes]:
        try:
            while self.left > 0 and (chunk := self.file.read(min(CHUNK, self.left))):
                self.left -= len(chunk)
                yield chunk
        finally:
            self.close()

    def close(self) -> None:
        self.file.close()


def partial(
    open_part: Callable[[int, int], Readable], *, size: int, header: str, content_type: str, is_head: bool
) -> StreamingHttpResponse | HttpResponse:
    """Return the response with the one range that the Range header names, or 416 if the file has no such bytes.

    Without a readable single range (also for several ranges) the response is the whole file. `open_part(start, length)`
    opens the file, which has `size` bytes; it is not called for HEAD.
    """
    match = RANGE.fullmatch(header.strip())
    headers = {"Accept-Ranges": "bytes"}
    if match is None or match.group(0) == "bytes=-":
        start, length, status = 0, size, 200
    else:
        first, last = match.groups()
        start = int(first) if first else max(size - int(last), 0)
        end = min(int(last), size - 1) if first and last else size - 1
        if start > end:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
        length, status = end - start + 1, 206
        headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    headers["Content-Length"] = str(length)
    if is_head:
        return HttpResponse(status=status, content_type=content_type, headers=headers)
    part = Part(open_part(start, length), length)
    return StreamingHttpResponse(part, status=status, content_type=content_type, headers=headers)
