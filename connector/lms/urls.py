from django.urls import path

from connector.lms.api import api

urlpatterns = [path("api/v1/", api.urls)]
