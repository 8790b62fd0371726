from django.urls import path

from connector.returns import views

urlpatterns = [path("cases/<uuid:order_id>/return", views.case_return, name="case_return")]
