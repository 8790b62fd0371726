"""Every address of the portal."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from labportal.running.views import mails, status

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("connector.orders.urls")),
    path("", include("connector.returns.urls")),
    path("", include("connector.intake.urls")),
    path("", include("connector.lms.urls")),
    path("", include("connector.retention.urls")),
    path("connections/", include("connector.pairing.urls")),
    path("", include("labportal.labs.urls")),
    path("", include("labportal.audit_pages.urls")),
    path("", include("labportal.signin.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/sessions/", include("allauth.usersessions.urls")),
    path("", include("labportal.people.urls")),
    path("admin/break-glass/", include("connector.break_glass.urls")),
    path("admin/", admin.site.urls),
    path("status", status, name="status"),
]

handler500 = "labportal.running.away.server_error"

if settings.SIMULATOR:
    urlpatterns += [path("demo/mails", mails, name="demo_mails")]
