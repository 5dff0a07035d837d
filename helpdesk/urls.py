from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from helpdesk import csp_reports, setup_page, views
from helpdesk.watching import page
from web import appearance

handler400 = "helpdesk.views.bad_request"
handler500 = "helpdesk.database_away.server_error_page"

# Administrators sign in like everybody else: the admin's own login has no rate limit and no second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = settings.DESK_NAME

urlpatterns = [
    path("idioma/", appearance.set_language, name="set_language"),
    path("tema/", appearance.set_theme, name="set_theme"),
    path("envio-demasiado-grande/", views.too_large, name="too_large"),
    path(settings.CSP_REPORTS.lstrip("/"), csp_reports.receive, name="csp_reports"),
    path("puesta-en-marcha/", setup_page.setup, name="setup"),
    path("puesta-en-marcha/correo/", setup_page.send_test_mail, name="setup_test_mail"),
    path("cuenta/", include("helpdesk.urls_account")),
    path("admin/", admin.site.urls),
    path("agentes/salud/", page.health, name="health"),
    path("agentes/salud/correo/", page.release_mail, name="release_mail"),
    path("agentes/", include("agents.urls")),
    path("", include("web.urls")),
    path("", include("portal.urls")),
]
if settings.MAIL_PROVIDER:
    from notifications.incoming import webhooks

    urlpatterns.append(path("anymail/", include((webhooks.patterns(), "anymail"))))
if settings.DESK_DEMO:
    urlpatterns.append(path("correo/", include("demo.mailbox.urls")))
    urlpatterns.append(path("app-de-ejemplo/", include("demo.example_app")))
if settings.DEBUG or settings.DESK_DEMO:
    urlpatterns.append(path("catalogo/", include("demo.catalogue")))
