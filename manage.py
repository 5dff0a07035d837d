#!/usr/bin/env python
import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
    if sys.argv[1:2] == [
        "runserver"
    ]:  # a developer's server, with DEBUG; other servers must say what they are
        os.environ.setdefault("DESK_ENV", "development")
    try:
        from helpdesk import command_line
    except ImportError as error:
        raise SystemExit(
            f"{error}\nThe packages are not installed: run «make demo» once, or use .venv/bin/python manage.py."
        ) from error
    command_line.run(sys.argv)


if __name__ == "__main__":
    main()
