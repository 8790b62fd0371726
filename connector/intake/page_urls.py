"""The pages of intake: Needs attention, Find my scan, reconciliation."""

from django.urls import path

from connector.intake import attention_views, find_views

urlpatterns = [
    path("attention/", attention_views.attention, name="attention"),
    path("attention/try-all", attention_views.try_all, name="attention_try_all"),
    path("attention/fetch", attention_views.fetch, name="attention_fetch"),
    path("attention/<uuid:order_id>/try-again", attention_views.try_again, name="attention_try_again"),
    path("attention/<uuid:order_id>/dismiss", attention_views.dismiss, name="attention_dismiss"),
    path("find/", find_views.find, name="find"),
    path("find/ask", find_views.find_ask, name="find_ask"),
    path("connections/<uuid:pairing_id>/reconciliation", find_views.reconciliation, name="reconciliation"),
    path("connections/<uuid:pairing_id>/reconciliation/run", find_views.reconciliation_run, name="reconciliation_run"),
]
