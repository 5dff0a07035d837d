"""Run manage.py with complete production settings that name invented servers.

    python -m tools.production check --deploy --fail-level WARNING
    python -m tools.production collectstatic --noinput

For commands that need production settings but no production servers: the deployment checks and building an image.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCTION = {
    "DESK_ENV": "production",
    "SECRET_KEY": "".join(chr(33 + i % 90) for i in range(80)),
    "DATABASE_URL": "postgres://desk@database.invalid:5432/desk",
    "REDIS_URL": "redis://queue.invalid:6379/0",
    "ALLOWED_HOSTS": "ayuda.example.com",
    "DESK_BASE_URL": "https://ayuda.example.com",
    "DESK_TRUSTED_PROXIES": "10.0.0.0/8",
    "DESK_SUPPORT_EMAIL": "soporte@example.com",
    "EMAIL_URL": "smtp+tls://desk:secret@mail.invalid:587",
}
PLACES = ("DESK_VAR_DIR", "DESK_STATIC_ROOT")  # folders to write to, taken from the caller's environment


def main() -> int:
    env = {
        name: value for name, value in os.environ.items() if name in PLACES or not name.startswith("DESK_")
    }
    command = [sys.executable, "manage.py", *sys.argv[1:]]
    return subprocess.run(command, check=False, cwd=ROOT, env=env | PRODUCTION).returncode


if __name__ == "__main__":
    sys.exit(main())
