"""The pre-commit hooks and the documents agree with the targets of the Makefile."""

import re

import pytest
import yaml
from django.conf import settings

ROOT = settings.BASE_DIR
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"(?m)^([a-z][a-z-]*):", MAKEFILE))
CHECKS = re.search(r"(?m)^lint: (.+)$", MAKEFILE)[1].split()
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
FILES = {
    "lint-templates": ("templates/base.html", "requirements-test.txt"),
    "lint-front": ("static/css/portal.css", "tools/front/package-lock.json"),
}
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md")]


def test_every_make_lint_check_has_a_hook():
    assert [hook["entry"] for hook in HOOKS] == [f"make {check}" for check in CHECKS]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_hook_runs_for_the_files_it_checks(hook: dict[str, str]):
    read, lock = FILES.get(hook["id"], ("helpdesk/settings.py", "requirements-test.txt"))

    for name in (read, lock):  # the lock too: another version of the tool may find more
        assert (ROOT / name).is_file()
        assert re.search(hook["files"], name)
    assert not re.search(hook["files"], "docs/architecture.md")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_document_names_only_targets_that_exist(document):
    named = set(re.findall(r"(?m)(?:^|`)make (?:-k )?([a-z-]+)", document.read_text("utf-8")))

    assert named <= TARGETS
