from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User

from ..forms.profile import ProfileForm

THEME_COOKIE = "desk_theme"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    # Validation writes the typed values into the form's instance. Use a second instance, because the page's navigation
    # shows the name of `request.user`, which must stay the saved one.
    person = get_object_or_404(User, pk=request.user.pk)
    form = ProfileForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        form.save()
        with translation.override(person.language):
            messages.success(request, _("Guardamos tus cambios."))
        response = redirect("portal:profile")
        response.set_cookie(
            THEME_COOKIE, person.theme, max_age=365 * 24 * 3600, samesite="Lax", httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
        )  # fmt: skip
        return response
    return render(request, "portal/profile.html", {"form": form}, status=422 if form.errors else 200)
