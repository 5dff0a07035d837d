"""A process that is killed while it stores an upload or a thumbnail, by SIGKILL: nothing stays for ever."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image

pytestmark = pytest.mark.topology

BEGINNING = """
import io, sys
import django
django.setup()
from content.stores.local import LocalStore
from tickets import attachments, stored_files
from tickets.definitions.definition import FileLimits
from tickets.models import Attachment
moment, picture = sys.argv[1], open(sys.argv[2], "rb").read()
LIMITS = FileLimits(kinds=("image",))
keep = lambda: attachments.keep_draft(io.BytesIO(picture), name="a.png", draft_key="k", actor=None, limits=LIMITS)
"""
WORKING = (
    BEGINNING
    + """
def waiting(step):
    def act(self, *arguments):
        if moment.startswith("before"):
            print("now", flush=True)
            sys.stdin.read()
        done = step(self, *arguments)
        print("now", flush=True)
        sys.stdin.read()
        return done
    return act
kept = keep() if moment.endswith("thumbnail") else None
name = "_give_name" if "name" in moment else "_save"
setattr(LocalStore, name, waiting(getattr(LocalStore, name)))
attachments.draw_thumbnail(kept) if kept else keep()
"""
)
CLEANING = (
    BEGINNING
    + """
from datetime import timedelta
import time_machine
from django.utils import timezone
with time_machine.travel(timezone.now() + timedelta(days=8), tick=True):
    stored_files.sweep()
    attachments.discard_old_drafts()
    stored_files.sweep()
print(Attachment.objects.count())
"""
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database that has all tables."""
    folder = tmp_path_factory.mktemp("killed")
    run(folder, "manage.py", "migrate", "--verbosity=0")
    content = io.BytesIO()
    Image.new("RGB", (400, 300), "teal").save(content, "PNG")
    (folder / "picture.png").write_bytes(content.getvalue())
    return folder


def environment(folder: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DESK_", "S3_"))}
    inherited |= {"DATABASE_URL": "", "REDIS_URL": ""}
    ours = {"DJANGO_SETTINGS_MODULE": "helpdesk.settings", "DESK_VAR_DIR": str(folder), "DESK_DEMO": "1"}
    return inherited | ours | {"PYTHONPATH": str(settings.BASE_DIR)}


def run(folder: Path, *arguments: str) -> str:
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment(folder), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def files(folder: Path) -> list[Path]:
    return [path for path in (folder / "media").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("moment", "left"),
    [
        ("before the file", 0),
        ("before the name", 1),
        ("after the name", 2),  # both names of one file
        ("after the file", 1),
        ("after the thumbnail", 2),
    ],
)
def test_killed_process_leaves_nothing_for_ever(desk: Path, moment: str, left: int):
    picture = str(desk / "picture.png")
    with subprocess.Popen(
        [sys.executable, "-c", WORKING, moment, picture],
        cwd=settings.BASE_DIR,
        env=environment(desk),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
        process.kill()
    assert len(files(desk)) == left, "this kill would prove nothing"

    rows = run(desk, "-c", CLEANING, moment, picture)

    assert (rows, files(desk)) == ("0\n", [])
