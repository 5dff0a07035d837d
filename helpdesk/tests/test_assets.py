import gzip
import json
import re

import pytest

from helpdesk.tests.css import variables_of
from tools import assets, contrast, vendor

PORTAL_FIRST_VISIT = [
    "vendor/inter-latin-opsz-normal.woff2",
    "vendor/htmx.min.js",
    "dist/portal.css",
    "dist/app.js",
    "icons.svg",
    "favicon.svg",
]
# Bootstrap uses this variable but does not define it, so that text keeps the browser's own alignment.
UNDEFINED_IN_BOOTSTRAP = {"--bs-body-text-align"}


@pytest.fixture(params=["portal", "agents"])
def style_sheet(request):
    return (assets.DIST / f"{request.param}.css").read_text("utf-8")


def test_built_files_are_fresh():
    assert assets.stale() == [], "run make assets"


def test_stale_reports_changed_added_and_removed_files(tmp_path, monkeypatch):
    built = json.loads(assets.MANIFEST.read_text("utf-8"))
    assert set(built["results"]) == set(assets.RESULTS)
    built["sources"]["static/css/portal.css"] = "0"
    built["sources"]["static/css/components/gone.css"] = "0"
    del built["sources"]["static/js/main.js"]
    built["results"]["app.js"] = "0"
    monkeypatch.setattr(assets, "MANIFEST", tmp_path / "built.json")
    assets.MANIFEST.write_text(json.dumps(built))

    assert assets.stale() == [
        "app.js",
        "static/css/components/gone.css",
        "static/css/portal.css",
        "static/js/main.js",
    ]


def test_lock_of_the_build_tools_names_no_registry():
    lock = json.loads((assets.FRONT / "package-lock.json").read_text("utf-8"))["packages"]

    assert len(lock) > 5
    assert [name for name, facts in lock.items() if "resolved" in facts] == []
    assert [name for name, facts in lock.items() if name and "integrity" not in facts] == []


def test_built_bootstrap_has_the_version_in_vendor_json():
    lock = json.loads((assets.FRONT / "package-lock.json").read_text("utf-8"))["packages"]
    record = json.loads(vendor.RECORD.read_text("utf-8"))["packages"]["bootstrap"]
    built = lock["node_modules/bootstrap"]

    assert (built["version"], built["integrity"]) == (record["version"], record["integrity"])
    assert f"Bootstrap  v{record['version']}" in (assets.DIST / "portal.css").read_text("utf-8")


def test_portal_files_leave_room_for_the_page():
    """The first visit may take 170 KB compressed, including the page (docs/front-end.md), which takes about 8 KB."""
    sizes = {
        name: len(data if name.endswith("woff2") else gzip.compress(data, 6))
        for name in PORTAL_FIRST_VISIT
        for data in [(assets.STATIC / name).read_bytes()]
    }

    assert sum(sizes.values()) < 157_000, sizes


def test_files_named_in_a_style_sheet_exist(style_sheet):
    targets = re.findall(r'url\(["\']?((?!["\']?data:)[^"\')]+)', style_sheet)

    assert targets
    for target in targets:
        assert (assets.DIST / target).resolve().is_file(), target


def test_every_variable_a_style_sheet_uses_is_defined(style_sheet):
    declared, used = variables_of(style_sheet)

    assert len(used) > 100
    assert used - declared == UNDEFINED_IN_BOOTSTRAP


def test_dark_colours_apply_only_on_screens(style_sheet):
    """They apply to the dark theme and, with the same values, to the theme `auto` on a dark system. Print is black on
    white."""
    dark = re.findall(r"@media screen\{\[data-bs-theme=dark\]\{([^}]*)\}\}", style_sheet)
    auto = re.findall(
        r"@media screen and \(prefers-color-scheme: ?dark\)\{\[data-bs-theme=auto\]\{([^}]*)\}\}", style_sheet
    )

    assert len(dark) == 1
    assert dark == auto
    assert "--ma-canvas: #0b1315;" in dark[0]
    assert style_sheet.count("[data-bs-theme=dark]") == 1


def test_utilities_win_by_layer_without_important(style_sheet):
    order = "@layer vendor,tokens,base,layout,components,pages,utilities;"
    utilities = style_sheet[style_sheet.index("@layer utilities{") :]

    assert style_sheet.index(order) < style_sheet.index("@layer vendor{")
    assert ".mb-3{margin-bottom:1rem}" in utilities
    assert ".d-none{display:none}" in utilities


def test_fonts_stand_outside_layers(style_sheet):
    """Some browsers ignore @font-face inside a layer."""
    assert style_sheet.count("@font-face") == 2
    assert style_sheet.rindex("@font-face") < style_sheet.index("@layer vendor{")


def test_every_colour_pair_has_enough_contrast():
    failing = [row for row in contrast.measured() if row[3] < row[4]]

    assert failing == []
