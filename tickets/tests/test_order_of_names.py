"""Lists of people and of what the organisation has named are in the order of Spanish dictionaries."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import CustomerKind, Department, User
from accounts.tests.factories import make_administrator, make_agent
from tickets.models import Category
from tickets.tests.factories import make_process

pytestmark = pytest.mark.django_db
NAMES = ["Alvaro", "Álvaro", "Beto", "Nunez", "Núñez", "Ñandú", "oca", "Zoe"]


def test_staff_sort_by_the_rules_of_the_language():
    for name in sorted(NAMES):
        make_agent(name=name)
    assert [person.name for person in User.objects.staff()] == NAMES


@pytest.mark.parametrize("model", [CustomerKind, Department, Category])
def test_names_of_equal_position_sort_by_the_rules_of_the_language(model):
    extra = {"process": make_process()} if model is Category else {}
    for number, name in enumerate(sorted(NAMES)):
        model.objects.create(name=name, key=f"k{number}", position=77, **extra)
    assert list(model.objects.filter(position=77).values_list("name", flat=True)) == NAMES


def test_people_in_the_admin_sort_by_the_rules_of_the_language(client: Client):
    for name in sorted(NAMES):
        make_agent(name=name)
    client.force_login(make_administrator(name="Zz"))
    page = client.get(reverse("admin:accounts_user_changelist"))
    assert [person.name for person in page.context["cl"].result_list] == [*NAMES, "Zz"]
