"""Addresses that belong to no single face: customers, guests and the desk's people download the same files."""

from django.urls import path

from . import downloads

app_name = "web"

urlpatterns = [
    path("adjuntos/<uuid:file>/", downloads.attachment, name="attachment"),
    path("adjuntos/<uuid:file>/miniatura/", downloads.attachment_thumbnail, name="attachment_thumbnail"),
]
