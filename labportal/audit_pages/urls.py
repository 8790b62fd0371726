from django.urls import path

from labportal.audit_pages import views

urlpatterns = [
    path("audit/", views.audit, name="audit"),
    path("audit/export", views.audit_export, name="audit_export"),
    path("audit/check", views.audit_check, name="audit_check"),
]
