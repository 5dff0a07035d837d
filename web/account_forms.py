"""allauth's forms that send a mail, with a limit on the mails that somebody can cause."""

from typing import Any

from allauth.account import forms
from allauth.core import context

from . import mail_limits


class _LimitedMail:
    """Mixin: count the mail once the form is valid, so that a typing mistake costs nothing."""

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data  # type: ignore[misc,attr-defined]
        if not self.errors:  # type: ignore[attr-defined]
            mail_limits.take(context.request, data["email"])
        return data


class SignupForm(_LimitedMail, forms.SignupForm):
    pass


class AddEmailForm(_LimitedMail, forms.AddEmailForm):
    pass


class RequestLoginCodeForm(_LimitedMail, forms.RequestLoginCodeForm):
    pass


class ResetPasswordForm(_LimitedMail, forms.ResetPasswordForm):
    pass
