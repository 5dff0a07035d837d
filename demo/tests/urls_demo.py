"""The addresses of a demo, whatever size the tests run in."""

from django.urls import include, path
from django.utils.module_loading import import_string

urlpatterns = [
    path("correo/", include("demo.mailbox.urls")),
    *import_string("helpdesk.urls.urlpatterns"),
]
