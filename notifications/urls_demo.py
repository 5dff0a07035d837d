"""The demo's mailbox. `helpdesk.urls` names this module in the demo only."""

from django.urls import path

from . import views_demo

app_name = "mailbox"

urlpatterns = [
    path("", views_demo.mail_list, name="list"),
    path("<int:pk>/", views_demo.mail_detail, name="detail"),
    path("<int:pk>/html/", views_demo.mail_html, name="html"),
]
