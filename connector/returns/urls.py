from django.urls import path

from connector.returns import views

urlpatterns = [
    path("cases/<uuid:order_id>/return", views.case_return, name="case_return"),
    path("cases/<uuid:order_id>/return/dismiss", views.return_dismiss, name="return_dismiss"),
]
