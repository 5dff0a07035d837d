"""Compare the files in the store with the rows that name them, and delete files that no row will ever name.

Why this cannot delete a file that somebody needs: `attachments.keep_draft` commits the row of an upload before it
writes the first byte of the file, under a name made from the row's uuid, and no row is ever made for a file that is
there already. So the order of the questions decides: first the store is listed, then the rows are asked for. A file
that was listed without a row has lost its row for ever, or never had one; it does not matter how long the writer, or
this process, was held up between two steps. While the row is there but does not name the file yet, the file is being
written, or its writer was killed; both are left to `attachments.discard_old_drafts`, which deletes row and file.

A thumbnail belongs to a row that is older than itself. If that row names none, an unnamed thumbnail is made its own, by
the same conditional update that the drawing process uses, so one of the two wins. If the row names another, nobody
will name this one any more.

Age is not needed for that. It guards against mistakes of people: a database restored from an older backup, a copy of
the desk that shares the store. So does `looks_wrong`.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, groupby, islice, takewhile
from uuid import UUID

from django.core.files.storage import default_storage
from django.utils import timezone

from content.stores import Store, Stored

from .models import Attachment

logger = logging.getLogger(__name__)

FILES, THUMBNAILS = FOLDERS = ("attachments", "thumbnails")
UNNEEDED_DAYS = 7
UNFINISHED_HOURS = 24
LOOKED_AT = 5000
"""Files of each folder that one sweep looks at."""
DELETED = 1000
"""Files of each folder that one sweep deletes."""
BATCH = 500
SHARDS = [f"{number:02x}" for number in range(256)]
FEW = 20
NAME = re.compile(r"(attachments|thumbnails)/([0-9a-f]{2})/(\2[0-9a-f]{30})(_\w+)?(\.webp)?", re.ASCII)
GOLDEN = 0.6180339887


@dataclass
class Comparison:
    """Names in the store that no row names (`unneeded`), and rows whose file the store has not (`lost`)."""

    unneeded: list[Stored] = field(default_factory=list)
    lost: list[Attachment] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """Files whose names this program does not give. They are never deleted."""


def store() -> Store:
    return default_storage  # type: ignore[return-value]


def sweep(*, limit: int = LOOKED_AT) -> int:
    """Delete files that no row names and that are older than `UNNEEDED_DAYS`, and what was never finished. Returns how
    many files it deleted. Looks at up to `limit` files of each folder; the next runs look at others."""
    now = timezone.now()
    store().forget_unfinished(now - timedelta(hours=UNFINISHED_HOURS), *FOLDERS)
    deleted = 0
    for folder in FOLDERS:
        before = now - timedelta(days=UNNEEDED_DAYS)
        old = [file for file in islice(_from(folder, start_of(now)), limit) if file.modified < before]
        unneeded = list(without_rows(old))
        if looks_wrong(old, unneeded):
            logger.error(
                "%s of %s files in %s have no row, so none is deleted: is this the right database? If it is: "
                "manage.py check_files --delete",
                len(unneeded),
                len(old),
                folder,
            )
            continue
        deleted += delete(unneeded[:DELETED])
    return deleted


def start_of(now: datetime) -> str:
    """Return four hexadecimal digits, at which the sweep of this hour begins. Hour by hour they come evenly over all
    names, so that every file of a large store has its turn."""
    return f"{int(now.timestamp() // 3600 * GOLDEN % 1 * 16**4):04x}"


def _from(folder: str, start: str) -> Iterator[Stored]:
    """Yield the files of `folder` from `start` to the end, and then from the beginning to `start`."""
    place = f"{folder}/{start[:2]}/{start}"
    return chain(
        store().walk(folder, after=place), takewhile(lambda file: file.name <= place, store().walk(folder))
    )


def looks_wrong(files: list[Stored], unneeded: list[Stored]) -> bool:
    """Whether more than half of the files have no row: then the database is most likely not that of this store."""
    return len(unneeded) > FEW and len(unneeded) * 2 > len(files)


def without_rows(files: Iterable[Stored]) -> Iterator[Stored]:
    """Yield those of `files` that no row names or will name. Adopts thumbnails. The rows are read after the files were
    listed: the module says why. Files with names of others are left out."""
    listed = iter(files)
    while batch := list(islice(listed, BATCH)):
        known = [(file, uuid) for file in batch if (uuid := uuid_of(file.name))]
        rows = Attachment.objects.in_bulk({uuid for _file, uuid in known}, field_name="uuid")
        for file, uuid in known:
            row = rows.get(uuid)
            if row is None or not _is_named(row, file.name):
                yield file


def _is_named(row: Attachment, name: str) -> bool:
    """Whether the row names this file, may name it later, or names it from now on."""
    if name.startswith(FILES):
        return row.file.name in ("", name)
    if row.thumbnail:
        return row.thumbnail.name == name
    adopted = Attachment.objects.filter(pk=row.pk, thumbnail="")
    return _is_whole(name) and bool(adopted.update(thumbnail=name))


def _is_whole(name: str) -> bool:
    """Whether a WebP has the length that its head announces. Earlier releases left parts of them on a full disk."""
    head = store().part(name, 0, 8)
    try:
        announced = int.from_bytes(head.read(8)[4:], "little") + 8
    finally:
        head.close()
    return announced == store().size(name)


def delete(files: Iterable[Stored]) -> int:
    """Delete the files. Returns how many. Raises `StoreUnavailable`."""
    count = 0
    for count, file in enumerate(files, start=1):  # noqa: B007
        store().delete(file.name)
    if count:
        logger.info("deleted %s files that no row named", count)
    return count


def compare(*, older_than: timedelta) -> Iterator[Comparison]:
    """Compare the whole store with all rows, in 256 pieces so that few names are in memory. Files and rows that are
    younger than `older_than` are left out. Changes nothing, except that thumbnails are adopted. Raises
    `StoreUnavailable`."""
    before = timezone.now() - older_than
    for shard, *listed in zip(SHARDS, *map(_in_shards, FOLDERS), strict=True):
        files = list(chain.from_iterable(listed))
        names = {file.name for file in files}
        ours = [file for file in files if uuid_of(file.name)]
        yield Comparison(
            unneeded=list(without_rows(file for file in ours if file.modified < before)),
            lost=[
                row
                for row in _rows(shard, before)
                if (row.file and row.file.name not in names)
                or (row.thumbnail and row.thumbnail.name not in names)
            ],
            unknown=[file.name for file in files if not uuid_of(file.name)],
        )


def _in_shards(folder: str) -> Iterator[list[Stored]]:
    """Yield the files of `folder` in 256 lists, by the first two digits of their names."""
    groups = groupby(store().walk(folder), key=lambda file: file.name.split("/")[1])
    start, group = next(groups, ("", iter(())))
    for shard in SHARDS:
        while start and start < shard:  # a folder that is not ours
            start, group = next(groups, ("", iter(())))
        if start == shard:
            yield list(group)
            start, group = next(groups, ("", iter(())))
        else:
            yield []


def _rows(shard: str, before: datetime) -> Iterator[Attachment]:
    rest = 30
    first, last = UUID(shard + "0" * rest), UUID(shard + "f" * rest)
    rows = Attachment.objects.filter(uuid__gte=first, uuid__lte=last, created_at__lt=before)
    columns = rows.select_related("ticket").only("uuid", "name", "file", "thumbnail", "ticket__folio")
    return columns.iterator(chunk_size=BATCH)


def uuid_of(name: str) -> UUID | None:
    """Return the uuid of the row to which a file of this name belongs; None if this program gives no such names."""
    match = NAME.fullmatch(name)
    return UUID(match[3]) if match else None
