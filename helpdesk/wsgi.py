import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from .call_stack import with_room

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

application = with_room(get_wsgi_application())
# Import every view now. Otherwise Django imports them during the first request, and an import error shows only then.
len(get_resolver().url_patterns)
