"""What every test gets: no leftovers of other tests, nothing sent to a worker, N+1 queries are errors."""

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.test import override_settings
from django.utils import timezone, translation


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """A database of this run's own. SQLite's is a file, because threads that share a database in memory cannot wait
    for each other's locks; in shared memory where the machine has it, because the file is never to be kept."""
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = f"test_desk_{os.getpid()}"
        yield
        return
    with tempfile.TemporaryDirectory(
        prefix="desk-test-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None
    ) as folder:
        database.setdefault("TEST", {})["NAME"] = f"{folder}/db.sqlite3"
        yield


@pytest.fixture(scope="session", autouse=True)
def test_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    from zeal.apps import ZealConfig

    ZealConfig.ready(ZealConfig)  # not an installed app: the product must run without it
    caches = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    if settings.REDIS_URL:
        caches = {"default": settings.CACHES["default"] | {"KEY_PREFIX": f"test-{os.getpid()}"}}
    with override_settings(
        CACHES=caches,
        DESK_NUDGE_WORKERS=False,
        EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
        MEDIA_ROOT=str(tmp_path_factory.mktemp("media")),
        MIDDLEWARE=["zeal.middleware.zeal_middleware", *settings.MIDDLEWARE],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        STORAGES=settings.STORAGES | {"default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}},
        WHITENOISE_AUTOREFRESH=True,
        # Not ours; allauth asks for the same address more than once while somebody signs in.
        ZEAL_ALLOWLIST=[{"model": "admin.*"}, {"model": "contenttypes.*"}, {"model": "account.*"}],
    ):
        yield


@pytest.fixture(autouse=True)
def desk_language_and_zone() -> None:
    """A request leaves its reader's language and zone behind in the thread."""
    translation.activate(settings.LANGUAGE_CODE)
    timezone.deactivate()


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """Rate limits of one test must not refuse the next one."""
    yield
    cache.clear()


@pytest.fixture
def deliver() -> Callable[[], int]:
    """A function that sends what waits in the outbox, as a worker would; the mails are then in `mail.outbox`."""
    from notifications.outgoing.delivery import drain

    return drain


@pytest.fixture
def code_in_mail(deliver: Callable[[], int]) -> Callable[[str], str]:
    """A function that returns the newest sign-in or confirmation code mailed to an address."""

    def newest(to: str) -> str:
        deliver()
        subjects = " ".join(message.subject for message in mail.outbox if message.to == [to])
        return re.findall(r"[A-Z0-9]{4}-[A-Z0-9]{4}", subjects)[-1]

    return newest
