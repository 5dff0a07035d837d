from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from web.appearance import remember_theme
from web.in_place import in_place

from ..access import account_view
from ..forms.profile import ProfileForm


@in_place
@require_http_methods(["GET", "HEAD", "POST"])
@account_view
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
        remember_theme(response, person.theme)
        return response
    return render(request, "portal/profile.html", {"form": form}, status=422 if form.errors else 200)
