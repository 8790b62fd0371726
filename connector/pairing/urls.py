from django.urls import path

from connector.pairing import views

urlpatterns = [
    path("", views.connections, name="connections"),
    path("connect", views.begin, name="connect"),
    path("callback", views.callback, name="connect_callback"),
    path("accounts/<uuid:attempt_id>", views.choose_account, name="choose_account"),
    path("<uuid:pairing_id>/reconnect", views.reconnect, name="connection_reconnect"),
    path("<uuid:pairing_id>/sync", views.sync, name="connection_sync"),
    path("<uuid:pairing_id>/mode", views.mode, name="connection_mode"),
    path("<uuid:pairing_id>/test", views.test, name="connection_test"),
    path("<uuid:pairing_id>/unpair", views.unpair, name="connection_unpair"),
]
