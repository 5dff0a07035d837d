"""The embedded size's own secret key: made once, kept under var/, never shared between installations."""

import os
import secrets
import tempfile
from pathlib import Path


def local_secret_key(var_dir: Path) -> str:
    """The key in `var_dir`/secret_key. The first process makes it; others that start with it read the same one."""
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
