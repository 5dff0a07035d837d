"""A bucket on an S3-compatible server (moto) on this machine, used as the store of the desk."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.files.storage import default_storage

from tools.servers import spare_port

KEY = "local-test-key"


@contextmanager
def serving() -> Iterator[str]:
    """Run a server in a thread of this process and return its address."""
    from moto.server import ThreadedMotoServer  # it takes a second, which only these tests should pay

    port = spare_port()
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()


class Bucket:
    """A new bucket at `url`, named in `settings.STORAGES`."""

    def __init__(self, url: str, settings: Any) -> None:
        self.url, self.settings, self.name = url, settings, f"desk-{uuid.uuid4().hex}"
        self._use(endpoint_url=url)
        self.client.create_bucket(Bucket=self.name)

    def _use(self, **options: Any) -> None:
        common = {"bucket_name": self.name, "region_name": "us-east-1", "access_key": KEY, "secret_key": KEY}
        backend = {"BACKEND": "content.stores.s3.S3Store", "OPTIONS": common | options}
        self.settings.STORAGES = self.settings.STORAGES | {"default": backend}

    @property
    def client(self) -> Any:
        return default_storage.client

    def names(self) -> set[str]:
        return {entry["Key"] for entry in self.client.list_objects_v2(Bucket=self.name).get("Contents", ())}

    def make_public(self, url: str) -> None:
        """Let browsers reach it at `url`."""
        self._use(endpoint_url=self.url, public_endpoint_url=url)

    def take_away(self) -> None:
        """Let the desk ask an address where nobody listens."""
        self._use(endpoint_url=f"http://127.0.0.1:{spare_port()}")

    def come_back(self) -> None:
        self._use(endpoint_url=self.url)

    def refuse(self) -> None:
        """Let the desk ask for a bucket that does not exist: the server answers, and refuses."""
        self.name = "absent"
        self._use(endpoint_url=self.url)
