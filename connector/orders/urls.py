from django.urls import path

from connector.orders import downloads, views

urlpatterns = [
    path("", views.inbox, name="inbox"),
    path("search", views.search, name="search"),
    path("cases/download", downloads.download_many, name="download_many"),
    path("cases/<uuid:order_id>", views.case, name="case"),
    path("cases/<uuid:order_id>/mark", views.case_mark, name="case_mark"),
    path("cases/<uuid:order_id>/workflow", views.workflow, name="workflow"),
    path("cases/<uuid:order_id>/get-all", views.get_all, name="get_all"),
    path("cases/<uuid:order_id>/try-again", views.try_again, name="try_again"),
    path("cases/<uuid:order_id>/thumbnail", downloads.thumbnail, name="thumbnail"),
    path("cases/<uuid:order_id>/revisions/<int:number>/zip", downloads.revision_zip, name="revision_zip"),
    path("cases/<uuid:order_id>/files/<uuid:file_id>", downloads.file, name="file"),
    path("cases/<uuid:order_id>/files/<uuid:file_id>/preview", downloads.preview, name="preview"),
    path("cases/<uuid:order_id>/files/<uuid:file_id>/picture", downloads.picture, name="picture"),
]
