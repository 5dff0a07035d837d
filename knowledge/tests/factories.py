"""Factories for sections and articles, which write and publish with the product's own verbs."""

from typing import Any

from accounts.enums import Role
from accounts.models import User
from accounts.tests.factories import make_user
from knowledge import articles
from knowledge.models import Article, Section

BODY = "## Antes de empezar\n\nTen a mano tu correo.\n\n1. Abre la app.\n2. Toca **Olvidé mi contraseña**."


def make_supervisor() -> User:
    found = User.objects.filter(email="editora@example.com").first()
    return found or make_user(email="editora@example.com", name="Elena Editora", role=Role.SUPERVISOR)


def make_section(slug: str = "cuenta", name: str = "Cuenta y acceso") -> Section:
    return Section.objects.get_or_create(slug=slug, defaults={"name": name, "name_en": "Account"})[0]


def make_draft(title: str = "No puedo entrar a mi cuenta", **fields: Any) -> Article:
    """Write an article that is not published."""
    defaults = {"actor": make_supervisor(), "section": make_section(), "body": BODY}
    return articles.create(title=title, **{**defaults, **fields})


def make_article(title: str = "No puedo entrar a mi cuenta", **fields: Any) -> Article:
    """Write an article and publish it."""
    return articles.publish(make_draft(title, **fields), actor=make_supervisor())
