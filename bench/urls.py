from django.urls import path

from bench.floor import floor
from helpdesk.urls import urlpatterns as desk

urlpatterns = [path("bench/floor/", floor), *desk]
