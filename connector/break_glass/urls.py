from django.contrib import admin
from django.urls import path

from connector.break_glass import views

operator = admin.site.admin_view

urlpatterns = [
    path("", operator(views.begin), name="break_glass"),
    path("<uuid:look_id>/", operator(views.cases), name="break_glass_cases"),
    path("<uuid:look_id>/cases/<uuid:order_id>", operator(views.case), name="break_glass_case"),
    path("<uuid:look_id>/end", operator(views.end), name="break_glass_end"),
]
