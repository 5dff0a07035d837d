"""Build what the pages load, from what we write.

    python -m tools.assets            static/css, static/js  ->  static/dist
    python -m tools.assets --check    say whether static/dist is fresh, without writing

The result is committed: running the project needs no build. helpdesk/tests/test_assets.py checks that it is fresh.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from pathlib import Path

from tools import css_bundle, js_bundle

STATIC = Path(__file__).resolve().parent.parent / "static"
DIST = STATIC / "dist"


def bundles() -> dict[Path, str]:
    styles = {DIST / f"{name}.css": css_bundle.build(STATIC / "css" / f"{name}.css", DIST / f"{name}.css")
              for name in ("portal", "agents")}  # fmt: skip
    return styles | {DIST / "app.js": js_bundle.build(STATIC / "js" / "main.js")}


def stale() -> list[str]:
    return [
        path.name for path, text in bundles().items() if not path.is_file() or path.read_text("utf-8") != text
    ]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        found = stale()
        print(f"stale: {', '.join(found)}; run python -m tools.assets" if found else "assets: fresh")
        return 1 if found else 0
    DIST.mkdir(exist_ok=True)
    for path, text in bundles().items():
        path.write_text(text, encoding="utf-8")
        print(
            f"{path.name}: {len(text.encode()):,} bytes, {len(gzip.compress(text.encode(), 9)):,} compressed"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
