"""URLs of the demo's mailbox. `helpdesk.urls` includes them in the demo only."""

from django.urls import path

from . import views, writing

app_name = "mailbox"

urlpatterns = [
    path("", views.mail_list, name="list"),
    path("escribir/", views.in_demo(writing.write), name="write"),
    path("<int:pk>/", views.mail_detail, name="detail"),
    path("<int:pk>/html/", views.mail_html, name="html"),
]
