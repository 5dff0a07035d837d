"""Fetch third-party front-end files with npm, record their origin and hashes, and check them against the record.

    python tools/vendor.py                 fetch every package in vendor.json again and rewrite files and record
    python tools/vendor.py --icons eye x   add Bootstrap icons to static/icons.svg (fetches that package only)
    python tools/vendor.py --check         compare the committed files with the record, without network

`static/vendor/vendor.json` is the record: exact version, npm's integrity of the tarball, the sha256 of every file
taken from it. npm is needed only to fetch; the project serves and tests the committed files. Of Bootstrap only the
licence is here: tools/front/build.mjs compiles the parts that we use into static/dist.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static" / "vendor"
RECORD = VENDOR / "vendor.json"
SPRITE = ROOT / "static" / "icons.svg"
OWN_ICONS = ROOT / "tools" / "own-icons.svg"
ICONS_PACKAGE = "bootstrap-icons"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def fetch(package: str, version: str) -> tuple[tarfile.TarFile, str]:
    """Fetch the package with npm. Returns its tarball and integrity. Exits if the integrity that npm reports differs
    from the one computed from the bytes."""
    with tempfile.TemporaryDirectory() as directory:
        answer = subprocess.run(
            ["npm", "pack", f"{package}@{version}", "--json", "--ignore-scripts"],
            cwd=directory, check=True, capture_output=True, text=True,
        )  # fmt: skip
        facts = json.loads(answer.stdout)
        facts = facts[0] if isinstance(facts, list) else next(iter(facts.values()))
        data = (Path(directory) / facts["filename"]).read_bytes()
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
    if integrity != facts["integrity"]:
        raise SystemExit(f"{package}: npm says {facts['integrity']}, the tarball is {integrity}")
    return tarfile.open(fileobj=io.BytesIO(data), mode="r:gz"), integrity


def member(tarball: tarfile.TarFile, path: str) -> bytes:
    extracted = tarball.extractfile(f"package/{path}")
    if extracted is None:
        raise SystemExit(f"no file {path} in the package")
    return extracted.read()


def build_sprite(tarball: tarfile.TarFile, names: list[str]) -> bytes:
    """Return one SVG with a <symbol> for each chosen Bootstrap icon and for each of our own in tools/own-icons.svg."""
    symbols = []
    for name in sorted(names):
        svg = member(tarball, f"icons/{name}.svg").decode()
        found = re.search(r'viewBox="([^"]+)"[^>]*>(.*)</svg>', svg, re.DOTALL)
        if found is None:
            raise SystemExit(f"icon {name}: not understood")
        inner = re.sub(r"\s*\n\s*", "", found[2])
        symbols.append(f'<symbol id="bi-{name}" viewBox="{found[1]}">{inner}</symbol>')
    own = re.findall(r"<symbol .*?</symbol>", OWN_ICONS.read_text(encoding="utf-8"), re.DOTALL)
    origin = "bi-*: Bootstrap Icons (MIT). ma-*: our own. Built by tools/vendor.py."
    head = f'<svg xmlns="http://www.w3.org/2000/svg">\n<!-- {origin} -->\n'
    return (head + "\n".join(symbols + own) + "\n</svg>\n").encode()


def update(record: dict, only: str | None = None) -> None:
    """Fetch all packages, or only the named one; write their files and change `record` accordingly."""
    for package, facts in record["packages"].items():
        if only is not None and package != only:
            continue
        tarball, facts["integrity"] = fetch(package, facts["version"])
        for target, entry in facts["files"].items():
            data = member(tarball, entry["source"])
            (VENDOR / target).write_bytes(data)
            entry["sha256"] = sha256(data)
        if package == ICONS_PACKAGE:
            SPRITE.write_bytes(build_sprite(tarball, facts["icons"]))
            facts["sprite_sha256"] = sha256(SPRITE.read_bytes())
        print(f"{package} {facts['version']}: {len(facts['files'])} files")


def problems(record: dict) -> list[str]:
    """Return the differences between the record and the committed files."""
    found = []
    expected = {RECORD.name}
    for package, facts in record["packages"].items():
        for target, entry in facts["files"].items():
            expected.add(target)
            path = VENDOR / target
            if not path.is_file():
                found.append(f"{package}: {target} is missing")
            elif sha256(path.read_bytes()) != entry["sha256"]:
                found.append(f"{package}: {target} was changed by hand")
        if package == ICONS_PACKAGE and sha256(SPRITE.read_bytes()) != facts["sprite_sha256"]:
            found.append("static/icons.svg was changed by hand: use tools/vendor.py --icons")
    found += [f"{path.name} is not in vendor.json" for path in VENDOR.iterdir() if path.name not in expected]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--icons", nargs="*", metavar="NAME", help="names as in icons.getbootstrap.com")
    options = parser.parse_args()
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    if options.check:
        found = problems(record)
        print("\n".join(found) or "vendor: unchanged")
        return 1 if found else 0
    if options.icons is not None:
        icons = record["packages"][ICONS_PACKAGE]["icons"]
        record["packages"][ICONS_PACKAGE]["icons"] = sorted({*icons, *options.icons})
    update(record, only=ICONS_PACKAGE if options.icons is not None else None)
    RECORD.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
