"""What Django and allauth say in Spanish calls the reader «usted»; the desk says «tú» and how to go on.

    python -m tools.spanish     compiles locale/es/LC_MESSAGES/django.po

That catalogue holds nothing of ours: our own texts are Spanish already. The compiled file is committed.
"""

import sys
from pathlib import Path

import polib

CATALOGUE = Path(__file__).resolve().parent.parent / "locale" / "es" / "LC_MESSAGES" / "django.po"
COMPILED = CATALOGUE.with_suffix(".mo")


def compiled() -> bytes:
    return bytes(polib.pofile(str(CATALOGUE)).to_binary())


def main() -> int:
    COMPILED.write_bytes(compiled())
    print(f"{len(polib.pofile(str(CATALOGUE)))} texts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
