from django.urls import path

from labportal.labs import views

urlpatterns = [
    path("labs/switch", views.switch_lab, name="switch_lab"),
    path("healthz", views.healthz, name="healthz"),
]
