from django.urls import path

from connector.intake import views

urlpatterns = [path("notify/<str:secret>", views.notify, name="notify")]
