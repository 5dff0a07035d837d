"""The secret key of the embedded size: made once for each installation and stored under var/."""

import os
import secrets
import tempfile
from pathlib import Path


def local_secret_key(var_dir: Path) -> str:
    """Return the key in `var_dir`/secret_key and make the file if it is missing. Processes that start at the same time
    all get the same key."""
    path = var_dir / "secret_key"
    if not path.exists():
        descriptor, draft = tempfile.mkstemp(dir=var_dir)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(draft)
    return path.read_text()
