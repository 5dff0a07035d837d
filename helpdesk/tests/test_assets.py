import gzip
import re

import pytest

from tools import assets, contrast, css_bundle
from tools.css_parser import Rule, parse, render

PORTAL_FIRST_VISIT = [
    "vendor/inter-latin-opsz-normal.woff2",
    "vendor/htmx.min.js",
    "dist/portal.css",
    "dist/app.js",
    "icons.svg",
    "favicon.svg",
]


def test_built_files_are_fresh():
    assert assets.stale() == [], "run python -m tools.assets"


def test_everything_the_portal_loads_leaves_room_for_its_page():
    """170 KB compressed in all, page included (§8); a page of the portal takes some 8."""
    sizes = {
        name: len(data if name.endswith("woff2") else gzip.compress(data, 6))
        for name in PORTAL_FIRST_VISIT
        for data in [(assets.STATIC / name).read_bytes()]
    }

    assert sum(sizes.values()) < 155_000, sizes


@pytest.mark.parametrize("name", ["portal", "agents"])
def test_files_named_in_a_style_sheet_exist(name):
    css = (assets.DIST / f"{name}.css").read_text("utf-8")

    for target in re.findall(r'url\("((?!data:)[^"]+)"\)', css):
        assert (assets.DIST / target).resolve().is_file(), target


def test_dark_rules_are_repeated_for_whoever_leaves_it_to_the_system():
    css = (assets.DIST / "portal.css").read_text("utf-8")
    dark = css.count('[data-bs-theme="dark"]') + css.count("[data-bs-theme=dark]")

    assert dark > 10
    assert (
        css.count('[data-bs-theme="auto"]') - css.count('[data-bs-theme="light"],[data-bs-theme="auto"]')
        == dark
    )


def test_paper_is_white_whatever_the_theme():
    nodes = parse('.x,[data-bs-theme="dark"] .y{color:#fff}')

    assert render(css_bundle.with_auto_theme(nodes)) == (
        '.x{color:#fff}\n@media screen{\n[data-bs-theme="dark"] .y{color:#fff}\n}\n'
        '@media screen and (prefers-color-scheme: dark){\n[data-bs-theme="auto"] .y{color:#fff}\n}'
    )


def test_utilities_come_last_and_shout_no_more():
    css = (assets.DIST / "portal.css").read_text("utf-8")
    utilities = css[css.index("@layer utilities{") :]

    assert css.startswith("@layer vendor, tokens, base, layout, components, pages, utilities;")
    assert ".mb-3{margin-bottom:1rem}" in utilities


def test_parser_keeps_what_it_does_not_understand():
    css = 'a:not(.b,.c)::before{content:"};{";background:url("data:image/svg+xml,%3csvg xmlns=\'x\'/%3e")}'

    assert render(parse(css)) == css


def test_bootstrap_subset_drops_selectors_and_sorts_the_rest():
    nodes = parse(
        "body{margin:0}.btn,.navbar{color:red}.carousel{top:0}.d-none{display:none!important}"
        "@media (min-width:768px){.d-md-flex{display:flex!important}.modal{top:0}}"
    )

    layers = css_bundle.bootstrap_subset(nodes)

    assert render(layers["vendor"]) == "body{margin:0}"
    assert layers["components"] == [Rule([".btn"], ["color:red"])]
    assert render(layers["utilities"]) == (
        ".d-none{display:none}\n@media (min-width:768px){\n.d-md-flex{display:flex}\n}"
    )


def test_every_colour_pair_of_the_design_has_enough_contrast():
    failing = [row for row in contrast.measured() if row[3] < row[4]]

    assert failing == []
