"""`python -m e2e.world`: load the demo's people, departments and processes into the database of the settings.

`manage.py load_demo` refuses to do so with production settings, because the password is public. Here it is safe: the
production size runs on this machine only, and only during the test.
"""

import django

if __name__ == "__main__":
    django.setup()
    from demo.replay.loading import load_desk

    load_desk()
