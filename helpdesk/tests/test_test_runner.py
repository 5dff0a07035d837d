"""`make test` says what did not run, and `.ci/run` does not let it pass."""

from pathlib import Path

import pytest

from tools import test as runner


@pytest.fixture
def one_skipped(tmp_path: Path, monkeypatch) -> list[str]:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    path = tmp_path / "test_sample.py"
    path.write_text(
        "import pytest\n\ndef test_runs(): pass\n\n@pytest.mark.skip\ndef test_does_not(): pass\n"
    )
    return [str(path), f"--rootdir={tmp_path}", "-c/dev/null", "-p", "no:cacheprovider"]


@pytest.mark.parametrize("everything_required", [False, True])
def test_part_with_a_skipped_test_fails_only_where_everything_is_required(
    one_skipped: list[str], monkeypatch, capsys, everything_required: bool
):
    monkeypatch.setattr(runner, "REQUIRE_ALL", everything_required)
    part = runner.Part("sample", one_skipped)

    part.run()

    assert part.failed is everything_required
    assert part.closing.startswith("1 passed, 1 skipped in ")
    assert "1 passed, 1 skipped" in capsys.readouterr().out


@pytest.mark.parametrize("everything_required", [False, True])
def test_part_that_cannot_run_says_why_and_fails_only_where_everything_is_required(
    monkeypatch, capsys, everything_required: bool
):
    monkeypatch.setattr(runner, "REQUIRE_ALL", everything_required)
    part = runner.Part("journeys", missing="no Chromium. apt install chromium")

    part.run()

    assert part.failed is everything_required
    assert "not run: no Chromium. apt install chromium" in capsys.readouterr().out


def test_part_that_fails_is_a_failure_everywhere(tmp_path: Path, one_skipped: list[str], monkeypatch):
    monkeypatch.setattr(runner, "REQUIRE_ALL", False)
    (tmp_path / "test_sample.py").write_text("def test_fails(): assert False\n")
    part = runner.Part("sample", one_skipped)

    part.run()

    assert part.failed
    assert part.closing.startswith("1 failed in ")


def test_topology_part_reaches_every_marked_module(monkeypatch):
    """Tests of a killed worker lay in a folder that no part of `make test` looked into."""
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
