from django.urls import path

from connector.retention import views

urlpatterns = [
    path("data/", views.data, name="data"),
    path("data/policy", views.set_policy, name="retention_policy"),
    path("data/hold", views.lab_hold, name="lab_hold"),
    path("data/release", views.lab_release, name="lab_release"),
    path("data/patient", views.find_patient, name="patient_data"),
    path("data/patient/export", views.export, name="patient_export"),
    path("data/patient/remove", views.remove, name="patient_remove"),
    path("cases/<uuid:order_id>/hold", views.case_hold, name="case_hold"),
    path("cases/<uuid:order_id>/release", views.case_release, name="case_release"),
]
