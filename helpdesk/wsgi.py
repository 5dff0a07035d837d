import os

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from .call_stack import with_room
from .variables import refuse_unnamed_size

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
refuse_unnamed_size()
if settings.PRODUCTION and not (settings.STATIC_ROOT / "staticfiles.json").exists():  # every page would fail
    raise ImproperlyConfigured(
        f"There are no static files in DESK_STATIC_ROOT ({settings.STATIC_ROOT}): run manage.py collectstatic"
    )

application = with_room(get_wsgi_application())
# Import every view now. Otherwise Django imports them during the first request, and an import error shows only then.
len(get_resolver().url_patterns)
