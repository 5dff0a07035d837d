"""Keep files in a bucket of an S3-compatible store, with django-storages."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from django.utils.deconstruct import deconstructible
from storages.backends.s3 import S3Storage

from .errors import StoreUnavailable
from .store import INCOMING, Readable, Stored

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 3, 10, 2
"""A store that does not answer holds a request for 20 seconds. Boto's own five attempts of a minute would hold it until
the web process is killed."""
PROBE_SECONDS = 0.9
SIGNED_SECONDS = 300
IN_MEMORY = 1_000_000  # a larger file that is opened lies in a temporary file


@contextmanager
def _reporting() -> Iterator[None]:
    """Raise every error of the store as `StoreUnavailable`, or as `FileNotFoundError` if it has no such file."""
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in {"404", "NoSuchKey"}:
            raise FileNotFoundError(str(error)) from error
        raise StoreUnavailable(str(error)) from error
    except (BotoCoreError, Boto3Error) as error:
        raise StoreUnavailable(str(error)) from error


class _Body:
    """The stream of a `get_object`, with the errors of `_reporting`."""

    def __init__(self, body: Any) -> None:
        self.body = body

    def read(self, amount: int = -1, /) -> bytes:
        with _reporting():
            return bytes(self.body.read(None if amount < 0 else amount))

    def close(self) -> None:
        self.body.close()


@deconstructible(path="content.stores.s3.S3Store")
class S3Store(S3Storage):
    """Option `public_endpoint_url`: where browsers reach the store. Without it, files are streamed by the desk."""

    is_local = False
    client_config: Any

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.client_config = self.client_config.merge(_config(CONNECT_SECONDS, READ_SECONDS, ATTEMPTS))

    def get_default_settings(self) -> dict[str, Any]:
        return super().get_default_settings() | {
            "public_endpoint_url": "",
            "max_memory_size": IN_MEMORY,
            # One part at a time: ten threads would hold ten parts of 8 MB in memory.
            "transfer_config": TransferConfig(use_threads=False),
            "querystring_expire": SIGNED_SECONDS,
            "file_overwrite": False,
        }

    @property
    def client(self) -> Any:
        """The client of the bucket. Threads may share it; making one takes a tenth of a second."""
        return self.bucket.meta.client

    @cached_property
    def _public_client(self) -> Any:
        return self._make_client(self.public_endpoint_url, self.client_config)

    @cached_property
    def _probe_client(self) -> Any:
        return self._make_client(self.endpoint_url, self.client_config.merge(_config(0.5, PROBE_SECONDS, 1)))

    def _make_client(self, endpoint: str | None, config: Config) -> Any:
        return self._create_session().client(
            "s3",
            region_name=self.region_name,
            endpoint_url=endpoint,
            use_ssl=self.use_ssl,
            verify=self.verify,
            config=config.merge(Config(signature_version="s3v4")),
        )

    def _save(self, name: str, content: "File[Any]") -> str:
        with _reporting():
            return str(super()._save(name, content))

    def _open(self, name: str, mode: str = "rb") -> Any:
        """Return the open file. It is read at once, because reading raises the errors of boto and not ours."""
        with _reporting():
            file = super()._open(name, mode)
            if "r" in mode:
                file.open()
            return file

    def delete(self, name: str) -> None:
        with _reporting():
            super().delete(name)

    def exists(self, name: str) -> bool:
        try:
            self.size(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        with _reporting():
            found = self.client.head_object(Bucket=self.bucket_name, Key=self._key(name))
        return int(found["ContentLength"])

    def part(self, name: str, start: int, length: int) -> Readable:
        if length <= 0:
            return io.BytesIO()
        with _reporting():
            answer = self.client.get_object(
                Bucket=self.bucket_name, Key=self._key(name), Range=f"bytes={start}-{start + length - 1}"
            )
        return _Body(answer["Body"])

    def public_url(self, name: str, *, method: str, content_type: str, disposition: str) -> str:
        if not self.public_endpoint_url:
            return ""
        parameters = {"ResponseContentType": content_type, "ResponseContentDisposition": disposition}
        signed: str = self._public_client.generate_presigned_url(
            "head_object" if method == "HEAD" else "get_object",
            Params={"Bucket": self.bucket_name, "Key": self._key(name), **parameters},
            ExpiresIn=self.querystring_expire,
        )
        return signed

    def walk(self, folder: str, *, after: str = "") -> Iterator[Stored]:
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket_name,
            Prefix=self._key(f"{folder}/"),
            StartAfter=self._key(after) if after else "",
        )
        with _reporting():
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield Stored(entry["Key"].removeprefix(self._key("")), entry["LastModified"])

    def forget_unfinished(self, before: datetime, *folders: str) -> int:
        """Abort uploads in several parts into `folders`. No listing shows their parts, and they cost."""
        aborted = 0
        for folder in (INCOMING, *folders):
            pages = self.client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.bucket_name, Prefix=self._key(f"{folder}/")
            )
            with _reporting():
                for page in pages:
                    for upload in page.get("Uploads", ()):
                        if upload["Initiated"] < before:
                            self._abort(self.client, upload["Key"], upload["UploadId"])
                            aborted += 1
        return aborted

    def probe(self) -> dict[str, Any]:
        """Begin an upload, send one part and abort it: that writes, and leaves no object or version of one."""
        client, key = self._probe_client, self._key(f"{INCOMING}/probe")
        with _reporting():
            upload = client.create_multipart_upload(Bucket=self.bucket_name, Key=key)["UploadId"]
            try:
                client.upload_part(Bucket=self.bucket_name, Key=key, UploadId=upload, PartNumber=1, Body=b"-")
            finally:
                self._abort(client, key, upload)
        return {}

    def _abort(self, client: Any, key: str, upload: str) -> None:
        client.abort_multipart_upload(Bucket=self.bucket_name, Key=key, UploadId=upload)

    def _key(self, name: str) -> str:
        """Return the key of the object in the bucket: the name, after the folder `location` if there is one."""
        return f"{self.location.strip('/')}/{name}".lstrip("/")


def _config(connect: float, read: float, attempts: int) -> Config:
    return Config(
        connect_timeout=connect,
        read_timeout=read,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
