"""The forms of articles: the filters of the list, a text, and the card."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from accounts.enums import Role
from accounts.models import Department, User
from content.article_markdown import MAX_ARTICLE
from content.form_fields import LineField, LongTextField
from knowledge import policies
from knowledge.articles import MOST_SCOPES, Scope
from knowledge.enums import Audience
from knowledge.models import Article, ArticleScope, Section
from knowledge.models.article import REVIEW_NOTE, SUMMARY, TITLE
from knowledge.reviews import colleagues
from tickets.models import Category, Process

MOST_SECTIONS = 200


class ArticleFilter(forms.Form):
    """Choose articles by words, section, audience, language and owner. A value that is none of the choices counts for
    nothing."""

    q = forms.CharField(label=_("Buscar artículos"), required=False, max_length=200)
    seccion = forms.ChoiceField(label=_("Sección"), required=False)
    quien = forms.ChoiceField(
        label=_("Quién lo lee"), required=False, choices=[("", _("Todas las audiencias")), *Audience.choices]
    )
    idioma = forms.ChoiceField(
        label=_("Idioma"), required=False, choices=[("", _("Todos los idiomas")), *settings.LANGUAGES]
    )
    propios = forms.BooleanField(label=_("Solo los míos"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sections = [(each.slug, str(each)) for each in Section.objects.all()[:MOST_SECTIONS]]
        self.fields["seccion"].choices = [("", _("Todas las secciones")), *sections]  # type: ignore[attr-defined]
        self.full_clean()

    def chosen(self) -> dict[str, Any]:
        """Return what was chosen, by the names of the fields."""
        return {name: value for name, value in self.cleaned_data.items() if value}

    def query(self, **more: str) -> str:
        """Return the query string with what was chosen and with `more`; empty values are left out."""
        values = {name: "1" if value is True else value for name, value in self.chosen().items()} | more
        return urlencode({name: value for name, value in values.items() if value})


class TextForm(forms.Form):
    """The text of an article in one language. `expected` is the number of the version that the person began with."""

    title = LineField(label=_("Título"), max_length=TITLE)
    summary = LineField(
        label=_("Resumen"),
        max_length=SUMMARY,
        required=False,
        help_text=_("Una frase: la muestran las listas y los buscadores."),
    )
    body = LongTextField(label=_("Texto en Markdown"), max_length=MAX_ARTICLE)
    note = LineField(label=_("Qué cambió"), max_length=200, required=False)
    expected = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)


class ReviewForm(forms.Form):
    """Ask a colleague to review the article, or answer one who asked."""

    reviewer = forms.ModelChoiceField(
        User.objects.none(), label=_("Quién lo revisa"), required=False, empty_label=_("Elige a una persona")
    )
    review_note = LineField(label=_("Qué mirar"), max_length=REVIEW_NOTE, required=False)
    review_answer = LineField(label=_("Tu respuesta"), max_length=REVIEW_NOTE, required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reviewer"].queryset = colleagues(user)  # type: ignore[attr-defined]

    def given(self, name: str) -> Any:
        """Return a field's clean value; None if it has none."""
        return self.cleaned_data.get(name) if self.is_valid() else None


class CardForm(forms.Form):
    """What the card of an article says. `scopes` tells for which tickets it fits: see `ArticleScope`."""

    section = forms.ModelChoiceField(Section.objects.all(), label=_("Sección"), empty_label=None)
    audience = forms.ChoiceField(label=_("Quién lo lee"), choices=Audience.choices)
    owner = forms.ModelChoiceField(User.objects.none(), label=_("Responsable"), required=False)
    review_on = forms.DateField(
        label=_("Revisar el"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    words = LineField(
        label=_("Palabras clave"),
        max_length=300,
        required=False,
        help_text=_("Separadas por comas. Un procedimiento aparece primero en los tickets que las dicen."),
    )

    def __init__(self, *args: Any, article: Article | None = None, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        staff = User.objects.filter(is_active=True).exclude(role=Role.CUSTOMER).order_by("name", "pk")
        if article is not None and not policies.can_publish(user, article):
            staff = staff.filter(pk=user.pk)
        self.fields["owner"].queryset = staff  # type: ignore[attr-defined]
        self.places = _Places()
        scopes = list(article.scopes.select_related("department")) if article else []
        for number in range(min(len(scopes) + 2, MOST_SCOPES)):
            scope = scopes[number] if number < len(scopes) else None
            self._add_scope(number, scope)
        if article is not None:
            self.initial |= {
                "section": article.section_id,
                "audience": article.audience,
                "owner": article.owner_id,
                "review_on": article.review_on,
                "words": article.words,
            } | kwargs.get("initial", {})

    def _add_scope(self, number: int, scope: ArticleScope | None) -> None:
        chosen = {
            "department": (scope.department.key if scope.department else "") if scope else "",
            "topic": scope.topic if scope else "",
            "stage": f"{scope.process}.{scope.stage}" if scope and scope.stage else "",
        }
        labels = {"department": _("Departamento"), "topic": _("Proceso o categoría"), "stage": _("Etapa")}
        for name, choices in self.places.choices.items():
            known = {value for value, _label in choices}
            kept = [] if chosen[name] in known else [(chosen[name], chosen[name])]
            self.fields[f"{name}-{number}"] = forms.ChoiceField(
                label=labels[name],
                required=False,
                choices=[("", _("Cualquiera")), *choices, *kept],
                initial=chosen[name],
                widget=forms.Select(attrs={"class": "form-select form-select-sm"}),
            )

    @property
    def scope_rows(self) -> list[dict[str, Any]]:
        """The fields of each scope, by name."""
        count = sum(name.startswith("topic-") for name in self.fields)
        return [{name: self[f"{name}-{number}"] for name in self.places.choices} for number in range(count)]

    def clean(self) -> dict[str, Any]:
        """Make the scopes of their fields. A stage tells its process, which must be the one that is chosen."""
        given: dict[str, Any] = super().clean() or {}
        scopes = []
        for number in range(len(self.scope_rows)):
            process, _dot, category = given.get(f"topic-{number}", "").partition(".")
            stage_of, _dot, stage = given.get(f"stage-{number}", "").partition(".")
            if process and stage_of and process != stage_of:
                self.add_error(f"stage-{number}", _("Esa etapa es de otro proceso."))
            scopes.append(Scope(process or stage_of, category, stage, given.get(f"department-{number}", "")))
        given["scopes"] = scopes
        return given

    def card(self) -> dict[str, Any]:
        """Return the values for `articles.create` and `articles.edit_card`."""
        names = ("section", "audience", "owner", "review_on", "words", "scopes")
        return {name: self.cleaned_data[name] for name in names}


class _Places:
    """The departments, topics and stages that a scope may name, as choices."""

    def __init__(self) -> None:
        departments = [(each.key, str(each)) for each in Department.objects.all()]
        categories: dict[int, list[Category]] = {}
        for category in Category.objects.all():
            categories.setdefault(category.process_id, []).append(category)
        topics, stages = [], []
        for process in Process.objects.filter(current__isnull=False):
            name = str(process)
            topics.append((process.key, name))
            topics += [
                (f"{process.key}.{each.key}", f"{name} · {each}") for each in categories.get(process.pk, [])
            ]
            stages += [
                (f"{process.key}.{stage.key}", f"{name} · {stage.label}")
                for stage in process.definition.stages
            ]
        self.choices: dict[str, list[tuple[str, str]]] = {
            "department": departments,
            "topic": topics,
            "stage": stages,
        }
