from django.urls import path

from labportal.people import link_views, settings_views, views

urlpatterns = [
    path("people/", views.people, name="people"),
    path("people/invite", views.invite, name="invite"),
    path("people/leave", views.leave, name="leave_lab"),
    path("people/invitations/<uuid:invitation_id>/resend", views.invitation_resend, name="invitation_resend"),
    path("people/invitations/<uuid:invitation_id>/withdraw", views.invitation_withdraw, name="invitation_withdraw"),
    path("people/<uuid:membership_id>", views.member_page, name="member"),
    path("people/<uuid:membership_id>/suspend", views.member_suspend, name="member_suspend"),
    path("people/<uuid:membership_id>/resume", views.member_resume, name="member_resume"),
    path("people/<uuid:membership_id>/remove", views.member_remove, name="member_remove"),
    path("settings/", settings_views.lab_settings, name="lab_settings"),
    path("join/", link_views.invitation, name="invitation"),
    path("join/<str:token>", link_views.invitation_link, name="invitation_link"),
    path("sign-up/", link_views.sign_up, name="sign_up"),
    path("sign-up/open", link_views.sign_up_open, name="sign_up_open"),
    path("sign-up/<str:token>", link_views.sign_up_link, name="sign_up_link"),
]
