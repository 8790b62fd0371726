from django.urls import path

from labportal.signin import company_views, own_address, recovery, views

urlpatterns = [
    path("accounts/security/", views.security, name="security"),
    # Instead of allauth's pages of these names, so they stand before allauth's addresses.
    path("accounts/email/", own_address.change, name="account_email"),
    path("accounts/2fa/", views.to_security, name="mfa_index"),
    path("accounts/2fa/recovery-codes/", recovery.show, name="mfa_view_recovery_codes"),
    path("accounts/2fa/recovery-codes/generate/", recovery.generate, name="mfa_generate_recovery_codes"),
    path("accounts/2fa/recovery-codes/download/", recovery.download, name="mfa_download_recovery_codes"),
    path("accounts/sessions/<int:pk>/end", views.end_session, name="session_end"),
    path("accounts/company/", company_views.company_sign_in, name="company_sign_in"),
    path("accounts/company/<slug:door>/", company_views.company_sign_in, name="company_door"),
    # allauth asks for its provider's return address by this name.
    path("accounts/oidc/<provider_id>/callback", company_views.company_callback, name="openid_connect_callback"),
    path("lab/sign-in", company_views.sign_in_rules, name="sign_in_rules"),
    path("lab/sign-in/company", company_views.save_company, name="save_company"),
    path("lab/sign-in/company/rules", company_views.company_rules, name="company_rules"),
    path("lab/sign-in/company/remove", company_views.remove_company, name="remove_company"),
]
