"""URLs with the demo's mailbox, whatever settings the tests run with."""

from django.urls import include, path
from django.utils.module_loading import import_string

urlpatterns = [
    path("correo/", include("demo.mailbox.urls")),
    *import_string("helpdesk.urls.urlpatterns"),
]
