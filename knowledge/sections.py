"""The verbs of sections. Each section has an address of its own in the help centre, which does not change."""

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User
from content.errors import InvalidData
from content.form_fields import LineField, cleaned_values

from . import policies
from .exceptions import NotAllowed
from .models import Section

MOST_SECTIONS = 100
NAME, DESCRIPTION = 120, 200
LAST = 32_000


def save(
    *,
    actor: User,
    name: str,
    name_en: str = "",
    description: str = "",
    description_en: str = "",
    icon: str = "",
    position: int = 0,
    section: Section | None = None,
) -> Section:
    """Save a new section, or change `section`, and return it. The address is made of the name once.

    Raises `NotAllowed`, `InvalidData`.
    """
    _require(actor)
    values = cleaned_values(
        {"name": name, "name_en": name_en, "description": description, "description_en": description_en},
        name=LineField(max_length=NAME),
        name_en=LineField(max_length=NAME, required=False),
        description=LineField(max_length=DESCRIPTION, required=False),
        description_en=LineField(max_length=DESCRIPTION, required=False),
    )
    if section is None and Section.objects.count() >= MOST_SECTIONS:
        raise InvalidData({"name": [_("Ya hay %(most)d secciones.") % {"most": MOST_SECTIONS}]})
    found = section or Section(slug=_free_slug(values["name"]))
    for key, value in values.items():
        setattr(found, key, value)
    found.icon = icon or found.icon
    found.position = min(max(position, 0), LAST)
    try:
        with transaction.atomic():
            found.save()
    except IntegrityError as error:  # somebody made a section of the same name in this moment
        raise InvalidData({"name": [_("Ya hay una sección con esa dirección.")]}) from error
    return found


def delete(section: Section, *, actor: User) -> None:
    """Delete a section without articles. Raises `NotAllowed`, `InvalidData` if it has some."""
    _require(actor)
    try:
        section.delete()
    except ProtectedError as error:
        raise InvalidData({"name": [_("La sección tiene artículos. Muévelos antes a otra.")]}) from error


def _require(actor: User) -> None:
    if not policies.can_edit_search(actor):
        raise NotAllowed


def _free_slug(name: str) -> str:
    base = slugify(name)[:56].strip("-") or "seccion"
    taken = set(Section.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    number, slug = 1, base
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    return slug
