from typing import Any

from django import forms

from content.errors import InvalidData


class StampedForm(forms.Form):
    """What every form about a ticket carries: the ticket as the page showed it, and a key that makes it once.

    Both are the page's own words; nonsense in them counts as nothing.
    """

    version = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
    key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def stamp(self) -> dict[str, Any]:
        """`version=` and `key=` for the verb."""
        key = self.cleaned_data.get("key")
        return {"version": self.cleaned_data.get("version"), "key": str(key) if key else None}

    def show(self, problem: InvalidData) -> None:
        for name, messages in problem.errors.items():
            self.add_error(name if name in self.fields else None, messages)
