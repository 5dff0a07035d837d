"""`make test` prints what did not run, and the branch coverage. With REQUIRE_ALL=1 (.ci/run) what did not run is a
failure."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import test as runner
from tools.browsers import find_browser


@pytest.fixture
def one_skipped(tmp_path: Path, monkeypatch) -> list[str]:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    path = tmp_path / "test_sample.py"
    path.write_text(
        "import pytest\n\ndef test_runs(): pass\n\n@pytest.mark.skip\ndef test_does_not(): pass\n"
    )
    return [str(path), f"--rootdir={tmp_path}", "-c/dev/null", "-p", "no:cacheprovider"]


@pytest.mark.parametrize("everything_required", [False, True])
def test_skipped_test_fails_its_part_if_required(
    one_skipped: list[str], monkeypatch, capsys, everything_required: bool
):
    monkeypatch.setattr(runner, "REQUIRE_ALL", everything_required)
    part = runner.Part("sample", one_skipped)

    part.run()

    assert part.failed is everything_required
    assert part.closing.startswith("1 passed, 1 skipped in ")
    assert "1 passed, 1 skipped" in capsys.readouterr().out


@pytest.mark.parametrize("everything_required", [False, True])
def test_missing_part_says_why_and_fails_if_required(monkeypatch, capsys, everything_required: bool):
    monkeypatch.setattr(runner, "REQUIRE_ALL", everything_required)
    part = runner.Part("journeys", missing="no Chromium. apt install chromium")

    part.run()

    assert part.failed is everything_required
    assert "not run: no Chromium. apt install chromium" in capsys.readouterr().out


def test_failed_test_always_fails_its_part(tmp_path: Path, one_skipped: list[str], monkeypatch):
    monkeypatch.setattr(runner, "REQUIRE_ALL", False)
    (tmp_path / "test_sample.py").write_text("def test_fails(): assert False\n")
    part = runner.Part("sample", one_skipped)

    part.run()

    assert part.failed
    assert part.closing.startswith("1 failed in ")


def test_named_browser_wins_then_headless_shell(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DESK_CHROMIUM", raising=False)
    assert find_browser() == ""

    for name in ("chromium", "chromium-headless-shell"):
        (tmp_path / name).touch(mode=0o755)
    assert find_browser() == str(tmp_path / "chromium-headless-shell")

    monkeypatch.setenv("DESK_CHROMIUM", "/opt/chromium")
    assert find_browser() == "/opt/chromium"


def test_topology_part_reaches_every_marked_module(monkeypatch):
    """`make test` once left out test_killed_worker.py, because no part of it named that folder."""
    monkeypatch.setattr(runner.shutil, "which", lambda name: name)
    folders = runner.topology().arguments[2:]
    marked = [
        path.relative_to(runner.ROOT)
        for path in runner.ROOT.glob("*/**/test_*.py")
        if "mark.topology" in path.read_text("utf-8")
        and not path.relative_to(runner.ROOT).parts[0].startswith(".")
    ]

    assert marked
    assert [str(path) for path in marked if path.parts[0] not in folders] == []


def test_part_in_several_processes_counts_skipped_tests(one_skipped: list[str], monkeypatch):
    monkeypatch.setenv("PYTEST_XDIST_AUTO_NUM_WORKERS", "2")
    monkeypatch.setattr(runner, "REQUIRE_ALL", True)
    part = runner.Part("sample", [*one_skipped, "-p", "xdist.plugin", *runner.SPREAD])

    part.run()

    assert part.failed
    assert part.closing.startswith("1 passed, 1 skipped in ")


def measure(folder: Path, **modules: str) -> None:
    """Run the modules with branch coverage, as `make test` does, and leave the data in `folder`."""
    for name, source in modules.items():
        (folder / f"{name}.py").write_text(source)
    (folder / "all.py").write_text("".join(f"import {name}\n" for name in modules))
    command = [sys.executable, "-m", "coverage", "run", "--branch", "--source=.", "all.py"]
    subprocess.run(command, cwd=folder, check=True)


def test_branch_coverage_lists_least_covered_modules_first(tmp_path: Path):
    measure(
        tmp_path,
        both_ways="for number in (0, 1):\n    if number:\n        pass\n",
        one_way="if True and len('x'):\n    pass\nfor _ in ():\n    pass\n",
        straight="x = 1\n",
    )

    assert runner.branch_coverage(tmp_path) == [
        "branch coverage: 75 %",
        "   50 %  one_way.py: 2 of 4",
        "  100 %  both_ways.py: 4 of 4",
    ]


def test_branch_coverage_shows_ten_modules_at_most(tmp_path: Path):
    measure(tmp_path, **{f"module_{number}": "if len('x'):\n    pass\n" for number in range(11)})

    first, *shown = runner.branch_coverage(tmp_path)

    assert first == "branch coverage: 50 %"
    assert len(shown) == 10


def test_branch_coverage_says_when_nothing_was_measured(tmp_path: Path):
    assert runner.branch_coverage(tmp_path) == ["branch coverage: not measured (No data to report.)"]
