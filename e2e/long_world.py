"""`python -m e2e.long_world`: load the demo into the database of the settings, with texts as long as people may type
them, and print as JSON who visits it and where they begin."""

import json

import django

WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
NAME = f"{WORD} {WORD}"
NUMBER = "SOPORTEPRINCIPAL-{:07d}"
MESSAGE = f"""{WORD}{WORD}

https://ejemplo.test/{"una-direccion-larga/" * 12}

| columna uno | columna dos | {WORD} | columna cuatro |
|---|---|---|---|
| 1 | {WORD} | 3 | 4 |

```
SELECT {"columna_larga, " * 20} FROM tabla;
```

`{"codigo_sin_espacios_" * 9}`

> {WORD}{WORD}

1. {WORD}{WORD}
"""


def lengthen() -> None:
    """Give people, departments, categories, files, folios and messages the longest texts."""
    from accounts.models import CustomerKind, Department, User
    from helpdesk.tests.every_page import write_everywhere
    from tickets.models import Category, Ticket

    write_everywhere(NAME, long_text=MESSAGE)
    for model in (CustomerKind, Department, Category):
        model.objects.update(name=NAME[:120], name_en=NAME[:120])
    Category.objects.update(description=NAME[:200], notice=MESSAGE)
    User.objects.update(phone="+58 412 555 0142 01234567890123"[:32], external_account=WORD[:60])
    Ticket.objects.filter(requester=None).update(requester_email=f"{'correo' * 10}@{'dominio' * 8}.test")
    for number, ticket in enumerate(Ticket.objects.order_by("pk")):
        Ticket.objects.filter(pk=ticket.pk).update(folio=NUMBER.format(number))


if __name__ == "__main__":
    django.setup()
    from helpdesk.tests.every_page import people

    lengthen()
    print(json.dumps([[person.name, list(person.starts), person.email, person.only] for person in people()]))  # noqa: T201
