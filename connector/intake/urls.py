from django.urls import include, path

from connector.intake import views

urlpatterns = [
    path("notify/<str:secret>", views.notify, name="notify"),
    path("", include("connector.intake.page_urls")),
]
