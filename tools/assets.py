"""Build what the pages load, from what we write.

    python -m tools.assets            static/css, static/js  ->  static/dist, with esbuild (`make assets` installs it)
    python -m tools.assets --check    compare sources and results with tools/front/built.json; needs no node
    python -m tools.assets --rebuild  build again into a temporary folder and compare with static/dist

The results are committed: running and testing the desk needs no node. `built.json` holds the SHA-256 of every source
and result of the last build, so that helpdesk/tests/test_assets.py can tell a stale result without building.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "static"
DIST = STATIC / "dist"
FRONT = ROOT / "tools" / "front"
MANIFEST = FRONT / "built.json"
RESULTS = ("agents.css", "app.js", "assistant.css", "portal.css", "widget.js")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sources() -> list[Path]:
    """Return every file that the build reads: ours, the script itself and the versions of its tools."""
    ours = [*(STATIC / "css").rglob("*.*css"), *(STATIC / "js").rglob("*.js")]
    return sorted([*ours, FRONT / "build.mjs", FRONT / "package-lock.json"])


def manifest() -> dict[str, dict[str, str]]:
    return {
        "sources": {path.relative_to(ROOT).as_posix(): sha256(path) for path in sources()},
        "results": {name: sha256(DIST / name) for name in RESULTS if (DIST / name).is_file()},
    }


def stale() -> list[str]:
    """Return the files that were changed, added or removed since the build that wrote `built.json`."""
    built, now = json.loads(MANIFEST.read_text("utf-8")), manifest()
    return sorted(
        name
        for part in ("sources", "results")
        for name in {*built[part], *now[part]}
        if built[part].get(name) != now[part].get(name)
    )


def build(folder: Path) -> None:
    """Write the results into `folder`."""
    if not (FRONT / "node_modules" / "esbuild").is_dir():
        raise SystemExit("esbuild is not installed: run `make assets`, or `npm ci` in tools/front")
    subprocess.run(["node", FRONT / "build.mjs", folder], check=True)


def differing() -> list[str]:
    """Return the results in static/dist that a new build does not give byte for byte."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(folder)
        return [name for name in RESULTS if sha256(folder / name) != sha256(DIST / name)]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--rebuild", action="store_true")
    options = parser.parse_args()
    if options.check or options.rebuild:
        found = differing() if options.rebuild else stale()
        print(f"stale: {', '.join(found)}; run make assets" if found else "assets: fresh")
        return 1 if found else 0
    DIST.mkdir(exist_ok=True)
    build(DIST)
    MANIFEST.write_text(json.dumps(manifest(), indent=2) + "\n", encoding="utf-8")
    for name in RESULTS:
        data = (DIST / name).read_bytes()
        print(f"{name}: {len(data):,} bytes, {len(gzip.compress(data, 6)):,} compressed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
