"""URLs that all faces use: requesters, guests and staff download files from the same addresses."""

from django.urls import path

from . import downloads

app_name = "web"

urlpatterns = [
    path("adjuntos/<uuid:file>/", downloads.attachment, name="attachment"),
    path("adjuntos/<uuid:file>/miniatura/", downloads.attachment_thumbnail, name="attachment_thumbnail"),
    path("ayuda/archivos/<uuid:file>/", downloads.article_file, name="article_file"),
]
