"""URLs of accounts, with Spanish paths. The names are those of allauth, because its redirects use them."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from django.urls import path, re_path

from web import second_factor
from web.ratelimit import limited

# allauth stops after three wrong codes, and sends the same code again twice; this stops one network over many requests.
code_page = limited("account-code", rate="60/10m")

urlpatterns = [
    path("entrar/", account.login, name="account_login"),
    path("entrar/codigo/", account.request_login_code, name="account_request_login_code"),
    path(
        "entrar/codigo/confirmar/", code_page(account.confirm_login_code), name="account_confirm_login_code"
    ),
    path("salir/", account.logout, name="account_logout"),
    path("registro/", account.signup, name="account_signup"),
    path("inactiva/", account.account_inactive, name="account_inactive"),
    path("confirmar-identidad/", account.reauthenticate, name="account_reauthenticate"),
    path("correo/", account.email, name="account_email"),
    path(
        "correo/confirmar/",
        code_page(account.email_verification_sent),
        name="account_email_verification_sent",
    ),
    path("clave/cambiar/", account.password_change, name="account_change_password"),
    path("clave/crear/", account.password_set, name="account_set_password"),
    path("clave/recuperar/", account.password_reset, name="account_reset_password"),
    path(
        "clave/recuperar/codigo/",
        code_page(account.confirm_password_reset_code),
        name="account_confirm_password_reset_code",
    ),
    path("clave/recuperar/nueva/", account.complete_password_reset, name="account_complete_password_reset"),
    # The link that `manage.py make_administrator` prints. Everybody else gets a code by mail.
    re_path(
        r"^clave/primera/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)/$",
        code_page(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "clave/primera/lista/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path(
        "clave/recuperar/lista/",
        account.password_reset_from_key_done,
        name="account_password_reset_completed",
    ),
    path("dos-pasos/", second_factor.IndexView.as_view(), name="mfa_index"),
    path("dos-pasos/codigo/", mfa.authenticate, name="mfa_authenticate"),
    path("dos-pasos/confirmar-identidad/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("dos-pasos/aplicacion/activar/", second_factor.ActivateTOTPView.as_view(), name="mfa_activate_totp"),
    path(
        "dos-pasos/aplicacion/desactivar/",
        second_factor.DeactivateTOTPView.as_view(),
        name="mfa_deactivate_totp",
    ),
    path(
        "dos-pasos/recuperacion/", second_factor.RecoveryCodesView.as_view(), name="mfa_view_recovery_codes"
    ),
    path(
        "dos-pasos/recuperacion/nuevos/",
        recovery_codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        "dos-pasos/recuperacion/descargar/",
        recovery_codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
]
