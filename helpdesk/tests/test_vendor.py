import json

from tools import vendor


def test_vendored_files_agree_with_the_record():
    assert vendor.problems(json.loads(vendor.RECORD.read_text("utf-8"))) == []


def test_changed_missing_and_unknown_files_are_problems(tmp_path, monkeypatch):
    record = json.loads(vendor.RECORD.read_text("utf-8"))
    for path in vendor.VENDOR.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(vendor, "VENDOR", tmp_path)
    (tmp_path / "htmx.min.js").write_text("alert(1)")
    (tmp_path / "LICENSE-inter.txt").unlink()
    (tmp_path / "jquery.js").write_text("")

    assert sorted(vendor.problems(record)) == [
        "@fontsource-variable/inter: LICENSE-inter.txt is missing",
        "htmx.org: htmx.min.js was changed by hand",
        "jquery.js is not in vendor.json",
    ]


def test_every_package_has_version_licence_and_integrity():
    for name, facts in json.loads(vendor.RECORD.read_text("utf-8"))["packages"].items():
        assert facts["version"][0].isdigit(), name
        assert facts["license"], name
        assert facts["integrity"].startswith("sha512-"), name
        assert any(target.startswith("LICENSE") for target in facts["files"]), name
