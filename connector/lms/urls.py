from django.urls import path

from connector.lms import views
from connector.lms.api import api

urlpatterns = [
    path("api/v1/", api.urls),
    path("keys/", views.api_keys, name="api_keys"),
    path("keys/new", views.api_key_new, name="api_key_new"),
    path("keys/<uuid:api_key_id>/rotate", views.api_key_rotate, name="api_key_rotate"),
    path("keys/<uuid:api_key_id>/revoke", views.api_key_revoke, name="api_key_revoke"),
]
