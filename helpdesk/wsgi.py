import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from .call_stack import with_room

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

application = with_room(get_wsgi_application())
# Django would import every view when the first visitor comes. The process has time now, and a mistake shows now.
len(get_resolver().url_patterns)
