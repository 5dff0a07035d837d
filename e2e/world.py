"""`python -m e2e.world`: the demo's people, departments and processes, in whatever database the settings name.

`manage.py load_demo` refuses to do that in production, for everybody knows the password; here the production size is
on this machine alone, and for a minute.
"""

import django

if __name__ == "__main__":
    django.setup()
    from demo.replay.loading import load_desk

    load_desk()
