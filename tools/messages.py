"""Collect the texts of the interface and compile the catalogues.

    python -m tools.messages            update locale/en, compile both catalogues and print what is not translated
    python -m tools.messages --check    change nothing; print what is missing, unused or not compiled

Texts in code and templates are Spanish, and locale/en translates them. locale/es contains none of our texts: it only
changes the Spanish texts of Django and allauth from «usted» to «tú». The compiled files are committed, so that the
machines that run the product need no gettext.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
CATALOGUE = ROOT / "locale" / "en" / "LC_MESSAGES" / "django.po"
REWORDED = ROOT / "locale" / "es" / "LC_MESSAGES" / "django.po"
SOURCES = (
    "accounts", "agents", "content", "demo", "helpdesk", "knowledge", "notifications", "portal", "templates", "tickets",
    "web",
)  # fmt: skip
IGNORED = (
    "*/tests/*",
    "*/demo/stories/*",
    "*/demo/replay/*",
    "demo/stories/*",
    "demo/replay/*",
    "templates/catalogue/*",
)

Key = tuple[str, str, str]


def collect(root: Path) -> None:
    """Write the texts of the sources under `root` into its English catalogue; existing translations are kept."""
    command = [
        sys.executable,
        str(ROOT / "manage.py"),
        "makemessages",
        "-l",
        "en",
        "--no-location",
        "--no-obsolete",
    ]
    command += [f"--ignore={pattern}" for pattern in IGNORED]
    subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)


def texts(catalogue: polib.POFile) -> dict[Key, bool]:
    """Return every text of the catalogue and whether it is translated."""
    return {
        (entry.msgctxt or "", entry.msgid, entry.msgid_plural or ""): entry.translated()
        for entry in catalogue
        if not entry.obsolete
    }


def stale() -> list[str]:
    """Return one line for each catalogue whose compiled file is out of date."""
    return [
        f"not compiled: locale/{catalogue.parts[-3]}"
        for catalogue in (CATALOGUE, REWORDED)
        if catalogue.with_suffix(".mo").read_bytes() != polib.pofile(str(catalogue)).to_binary()
    ]


def problems() -> list[str]:
    """Return one line for each text that is untranslated or no longer used, and for each catalogue that is not
    compiled. The texts are collected in a copy of the sources, so no file changes."""
    with tempfile.TemporaryDirectory() as folder:
        for name in (*SOURCES, "locale"):
            shutil.copytree(
                ROOT / name, Path(folder) / name, ignore=shutil.ignore_patterns("__pycache__", "library")
            )
        collect(Path(folder))
        wanted = texts(polib.pofile(str(Path(folder) / CATALOGUE.relative_to(ROOT))))
    had = texts(polib.pofile(str(CATALOGUE)))
    found = [f"to translate: {key[1]!r}" for key in wanted if not had.get(key)]
    found += [f"no longer said: {key[1]!r}" for key in had if key not in wanted]
    return found + stale()


def main() -> int:
    if "--check" not in sys.argv:
        CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
        collect(ROOT)
        catalogue = polib.pofile(str(CATALOGUE))
        catalogue.metadata = {
            "Language": "en",
            "Content-Type": "text/plain; charset=UTF-8",
            "Content-Transfer-Encoding": "8bit",
            "Plural-Forms": "nplurals=2; plural=(n != 1);",
        }
        catalogue.save(str(CATALOGUE))
        for path in (CATALOGUE, REWORDED):
            path.with_suffix(".mo").write_bytes(polib.pofile(str(path)).to_binary())
    found = problems()
    print("\n".join(found) or "The catalogues are complete.")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
