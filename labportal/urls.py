"""Every address of the portal."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("connector.orders.urls")),
    path("", include("connector.returns.urls")),
    path("", include("connector.intake.urls")),
    path("connections/", include("connector.pairing.urls")),
    path("", include("labportal.labs.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
