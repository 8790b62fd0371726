from django.urls import path

from labportal.signin import views

urlpatterns = [
    path("accounts/security/", views.security, name="security"),
    # Instead of allauth's page of that name, so it stands before allauth's addresses.
    path("accounts/2fa/", views.to_security, name="mfa_index"),
]
