"""Fixtures of all tests. They clear the cache, language and time zone between tests, wake no worker, and make N+1
queries errors."""

import functools
import gc
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from sqlite3 import sqlite_version
from typing import Any

import django
import hypothesis
import pytest
from django.apps import apps
from django.conf import settings
from django.core import mail
from django.core.cache import cache, caches
from django.db import connection
from django.test import override_settings
from django.utils import timezone, translation

os.environ.setdefault(
    "DESK_ENV", "development"
)  # servers refuse to start without it; the settings are read already


hypothesis.settings.register_profile("desk", deadline=None)  # a busy machine makes no test fail
hypothesis.settings.load_profile("desk")


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what lives as long as the run, and come less often: it took an eighth of
    the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """Give this run its own database. For SQLite it is a file, because threads that share an in-memory database cannot
    wait for each other's locks. The file is in /dev/shm if the machine has it, because it need not be kept."""
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = f"test_desk_{os.getpid()}"
        yield
        return
    with tempfile.TemporaryDirectory(
        prefix="desk-test-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None
    ) as folder:
        name = database.setdefault("TEST", {})["NAME"] = f"{folder}/db.sqlite3"
        if migrated_database().exists():
            shutil.copyfile(migrated_database(), name)
        yield


@functools.cache
def migrated_database() -> Path:
    """Return where an empty SQLite database is kept with all migrations applied, for the next worker and the next run.

    Its name changes with every migration, and with what makes columns and collations: `content` and the libraries.
    """
    state = hashlib.sha256(f"{sqlite_version} {django.VERSION}".encode())
    folders = [Path(app.path) / "migrations" for app in apps.get_app_configs()]
    for folder in [*folders, settings.BASE_DIR / "content"]:
        for path in sorted(folder.rglob("*.py")):
            state.update(path.name.encode() + path.read_bytes())
    return settings.VAR_DIR / f"migrated-{state.hexdigest()[:16]}.sqlite3"


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_modify_db_settings: None) -> bool:
    """Whether the run begins with a copy of `migrated_database`."""
    return Path(settings.DATABASES["default"].get("TEST", {}).get("NAME") or "").is_file()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_keepdb: bool, django_db_blocker: Any) -> None:
    """Keep the new database for later runs, before any test has written to it."""
    if django_db_keepdb or connection.vendor != "sqlite":
        return
    migrated_database().parent.mkdir(parents=True, exist_ok=True)
    for former in migrated_database().parent.glob("migrated-*"):
        former.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=migrated_database().parent) as folder, django_db_blocker.unblock():
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [f"{folder}/copy"])
        os.replace(f"{folder}/copy", migrated_database())


@pytest.fixture(scope="session", autouse=True)
def test_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    from zeal.apps import ZealConfig

    ZealConfig.ready(ZealConfig)  # zeal is not in INSTALLED_APPS: the product must run without it
    memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    default = {**memory, "LOCATION": "default"}
    if settings.REDIS_URL:
        default = settings.CACHES["default"] | {"KEY_PREFIX": f"test-{os.getpid()}"}
    alias = {
        "default": default,
        "pages": {**memory, "LOCATION": "pages"},
        "template_fragments": {**memory, "LOCATION": "fragments"},
    }
    with override_settings(
        CACHES=alias,
        DESK_NUDGE_WORKERS=False,
        EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
        MEDIA_ROOT=str(tmp_path_factory.mktemp("media")),
        MIDDLEWARE=["zeal.middleware.zeal_middleware", *settings.MIDDLEWARE],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        STORAGES=settings.STORAGES | {"default": {"BACKEND": "content.stores.local.LocalStore"}},
        WHITENOISE_AUTOREFRESH=True,
        # Not our code; allauth reads the same email address more than once during sign-in.
        ZEAL_ALLOWLIST=[{"model": "admin.*"}, {"model": "contenttypes.*"}, {"model": "account.*"}],
    ):
        yield


@pytest.fixture(autouse=True)
def desk_language_and_zone() -> None:
    """Reset language and time zone: a request in an earlier test leaves its own in the thread."""
    translation.activate(settings.LANGUAGE_CODE)
    timezone.deactivate()


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """Clear the cache after each test, so that rate limits do not refuse the next one."""
    yield
    cache.clear()
    caches["pages"].clear()
    caches["template_fragments"].clear()


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """The address of an S3-compatible server."""
    from content.tests.object_store import serving

    with serving() as url:
        yield url


@pytest.fixture
def bucket(object_store: str, settings: Any) -> Any:
    """An empty bucket in which the desk keeps its files."""
    from content.tests.object_store import Bucket

    return Bucket(object_store, settings)


@pytest.fixture
def deliver() -> Callable[[], int]:
    """A function that sends the waiting mails and the links that guests ask for, as a worker does. They are then in
    `mail.outbox`."""
    from notifications.outgoing.delivery import drain
    from tickets.requesters.guests import send_asked

    def work() -> int:
        send_asked()
        return drain()

    return work


@pytest.fixture
def code_in_mail(deliver: Callable[[], int]) -> Callable[[str], str]:
    """A function that sends the waiting mails and returns the newest code mailed to an address."""

    def newest(to: str) -> str:
        deliver()
        subjects = " ".join(message.subject for message in mail.outbox if message.to == [to])
        return re.findall(r"[A-Z0-9]{4}-[A-Z0-9]{4}", subjects)[-1]

    return newest
