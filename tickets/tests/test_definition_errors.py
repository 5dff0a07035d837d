"""A broken process file is refused with every problem, each at its own line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Department
from accounts.tests.factories import make_user
from tickets.definitions.lines import LineIndex
from tickets.definitions.loading import library
from tickets.definitions.problems import DefinitionError
from tickets.models import Process, ProcessVersion, Ticket
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow.checking import load
from tickets.workflow.perform import perform
from tickets.workflow.publishing import check_for_desk, publish

GOOD = """\
format = 1
key = "minimo"
name = { es = "Mínimo", en = "Minimal" }

[intake]
phone = "optional"
notify = [
  { to = "requester", template = "received" },
]

[closing]
survey = false

[targets.resolution]
problem = "5d"
procedure = "30d"

[[categories]]
key = "general"
label = "General"
severity = "low"

[[fields]]
key = "tipo"
label = "Tipo"
type = "choice"
options = [
  { key = "a", label = "A" },
  { key = "b", label = "B" },
]

[[fields]]
key = "detalle"
label = "Detalle"
shown_when = { tipo = "a" }

[[stages]]
key = "nuevo"
label = "Nuevo"
kind = "new"
owner = "role:supervisor"

[[stages]]
key = "fin"
label = "Fin"
kind = "done"

[[actions]]
key = "cerrar"
label = "Cerrar"
from = ["nuevo"]
to = "fin"
by = ["assignee"]
asks = [
  "assignee",
  { field = "solution_done", required = false },
]
guards = ["assigned"]
effects = ["take"]
notify = [{ to = "requester", template = "closed" }]

[[responses]]
key = "R1"
label = "Uno"
body = "Hola"
when = ["assigned", "field.tipo=a"]
"""


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) >= 1, old
    return GOOD.replace(old, new, 1)


def problems_of(source: str) -> list[tuple[int, str]]:
    with pytest.raises(DefinitionError) as refused:
        load(source)
    return [(problem.line, problem.message) for problem in refused.value.problems]


def test_good_file_loads():
    definition = load(GOOD)
    assert (definition.first_stage.key, definition.action("cerrar").to) == ("nuevo", "fin")


BROKEN = [
    # the text to replace, its replacement, the line of the problem, its message (None: any)
    ("format = 1", "format = 2", 1, "se esperaba format = 1"),
    ('key = "minimo"', 'key = "Mínimo"', 2, "falta una clave en minúsculas, sin espacios ni tildes"),
    ('name = { es = "Mínimo", en = "Minimal" }', "name = 3", 3, "se esperaba un texto o { es = …, en = … }"),
    ('en = "Minimal"', 'fr = "Minimal"', 3, "no hablamos «fr»"),
    ('phone = "optional"', 'phone = "maybe"', 6, "«maybe» no es uno de: hidden, optional, required"),
    ('phone = "optional"', "phone = true", 6, "se esperaba un texto"),
    ('phone = "optional"', 'fone = "optional"', 6, "no conocemos «fone» aquí"),
    ('template = "received"', 'template = "resivido"', 8, "no hay un correo «resivido»"),
    ('to = "requester", template = "received"', 'to = "boss", template = "received"', 8,
     "«boss» no nombra a nadie que conozcamos"),
    ("survey = false", "survey = 1", 12, "se esperaba true / false"),
    ("survey = false", 'approver = "requester"', 12,
     "approver = requester va con una etapa closure_approval, y solo con ella"),
    ("survey = false", 'approver = "validator"', 12, "approver = validator necesita una etapa verification"),
    ('problem = "5d"', 'problem = "5 días"', 15,
     "se esperaba un plazo como 30m, 4h, 5d, 8 working hours, 5 working days o 30 calendar days"),
    ('problem = "5d"', 'problem = "0d"', 15,
     "se esperaba un plazo como 30m, 4h, 5d, 8 working hours, 5 working days o 30 calendar days"),
    ('problem = "5d"', 'urgent = "5d"', 15,
     "se esperaba uno de: critical, high, medium, low, problem, procedure"),
    ('problem = "5d"\n', "", 14,
     "faltan plazos: pon los de todas las severidades, o los de problem y procedure"),
    ('severity = "low"', 'severity = "tiny"', 21, "«tiny» no es uno de: critical, high, medium, low"),
    ('label = "General"\n', "", 18, "falta el texto en español"),
    ('key = "tipo"', 'key = "assignee"', 24, "«assignee» ya es un campo estándar"),
    ('key = "tipo"', 'key = "title"', 24, "«title» ya es un campo estándar"),
    ('key = "tipo"', 'key = "version"', 24, "«version» ya es un campo estándar"),
    ('type = "choice"', 'type = "colour"', 26,
     "«colour» no es uno de: text, long_text, choice, multi_choice, number, date, yes_no, phone"),
    ('type = "choice"', 'type = "text"', 27, "las opciones van con los tipos choice y multi_choice, y solo con ellos"),
    ('{ key = "b", label = "B" }', '{ key = "a", label = "B" }', 27, "hay una opción repetida"),
    ('{ key = "b", label = "B" }', '{ key = "b" }', 29, "falta el texto en español"),
    ('label = "Detalle"', 'label = "Detalle"\npattern = "("', 35,
     "la expresión no es válida: missing ), unterminated subpattern at position 0"),
    ('label = "Detalle"', 'label = "Detalle"\nmax_length = 99999', 35, "debe estar entre 0 y 20000"),
    ('label = "Detalle"', 'label = "Detalle"\nminimum = "dos"', 35, "se esperaba un número"),
    ('label = "Detalle"', 'label = "Detalle"\nsets = "severity"', 35,
     "para fijar la severidad hace falta un campo choice del solicitante con opciones: critical, high, medium, low"),
    ('label = "Detalle"', 'label = "Detalle"\ncategories = ["otra"]', 35, "no hay una categoría «otra»"),
    ('shown_when = { tipo = "a" }', 'shown_when = { otro = "a" }', 35, "no hay un campo «otro»"),
    ('shown_when = { tipo = "a" }', 'shown_when = { tipo = ["a", "z"] }', 35, "«tipo» no tiene la opción «z»"),
    ('shown_when = { tipo = "a" }', 'type = "yes_no"\nshown_when = { tipo = [true] }', 36,
     "«tipo» no tiene la opción «yes»"),
    ('shown_when = { tipo = "a" }', "shown_when = { tipo = { es = 1 } }", 35,
     "se esperaba una respuesta o una lista de respuestas"),
    ('type = "choice"\noptions = [\n  { key = "a", label = "A" },\n  { key = "b", label = "B" },\n]', 'type = "yes_no"',
     31, "«tipo» se responde con yes o no, y no con «a»"),
    ('type = "choice"\noptions = [\n  { key = "a", label = "A" },\n  { key = "b", label = "B" },\n]', 'type = "number"',
     62, "«tipo» es un número, y «a» no"),
    ('kind = "new"', 'kind = "work"', 40, "la primera etapa debe ser de tipo new, evaluation o preparation"),
    ('owner = "role:supervisor"', 'owner = "role:boss"', 41, "no hay un rol «boss»"),
    ('owner = "role:supervisor"', 'owner = "role:customer"', 41, "no hay un rol «customer»"),
    ('owner = "role:supervisor"', 'owner = "group:expertos"', 41,
     "no hay un grupo «expertos»: decláralo en [[groups]]"),
    ('owner = "role:supervisor"', 'owner = "owner"', 41, "una etapa no puede ser de su propio dueño"),
    ('owner = "role:supervisor"', 'owner = "actor_of:nada"', 41, "no hay una acción «nada»"),
    ('owner = "role:supervisor"', "progress = 101", 41, "debe estar entre 0 y 100"),
    ('owner = "role:supervisor"', 'clock = "stops"', 41, "en la primera etapa el reloj corre: quita clock"),
    ('owner = "role:supervisor"', 'clock = "walks"', 41, "«walks» no es uno de: runs, pauses, stops"),
    ('kind = "done"', 'kind = "done"\nclock = "runs"', 47, "en una etapa final el reloj termina: quita clock"),
    ('kind = "done"', 'kind = "finished"', 46, None),
    ('from = ["nuevo"]', 'from = ["nuevo", "viejo"]', 51, "no hay una etapa «viejo»"),
    ('from = ["nuevo"]', 'from = "nuevo"', 51, "se esperaba una lista"),
    ('from = ["nuevo"]\n', "", 48, "falta decir desde qué etapas"),
    ('to = "fin"', 'to = "final"', 52, "no hay una etapa «final»"),
    ('by = ["assignee"]', 'by = ["asignee"]', 53, "«asignee» no nombra a nadie que conozcamos"),
    ('by = ["assignee"]', 'by = ["role"]', 53, "«role» no nombra a nadie que conozcamos"),
    ('by = ["assignee"]\n', "", 48, "una acción la hace alguien (by) o la dispara algo (on): una de las dos"),
    ('by = ["assignee"]', 'by = ["assignee"]\non = "silence"\nafter_days = 3', 48,
     "una acción la hace alguien (by) o la dispara algo (on): una de las dos"),
    ('by = ["assignee"]', 'on = "solution_sent"', 54, "una acción disparada no puede preguntar nada"),
    ('by = ["assignee"]', 'on = "solution_sent"', 58, "una acción disparada usa condiciones (when), no guards"),
    ('by = ["assignee"]', 'on = "payment"', 53, None),
    ('by = ["assignee"]', 'on = "silence"', 48, "after_days va con on = silence, y solo con él"),
    ('by = ["assignee"]', 'by = ["requester"]', 55, "al solicitante no se le pregunta «assignee»"),
    ('by = ["assignee"]', 'by = ["assignee"]\nwhen = "raining"', 54, "no hay una condición «raining»"),
    ('by = ["assignee"]', 'by = ["assignee"]\nwhen = ["assigned", "field.nada=1"]', 54, "no hay un campo «nada»"),
    ('by = ["assignee"]', 'by = ["assignee"]\nwhen = "assigned=1"', 54,
     "se esperaba una condición o field.clave=valor"),
    ('  "assignee",', '  "asignado",', 55, "no hay un campo «asignado»"),
    ('field = "solution_done", required', 'field = "solution_done", needed', 56, "no conocemos «needed» aquí"),
    ('guards = ["assigned"]', 'guards = ["assined"]', 58, "no conocemos «assined»"),
    ('guards = ["assigned"]', 'guards = ["assigned:now"]', 58, "«assigned» no lleva nada después de los dos puntos"),
    ('guards = ["assigned"]', 'guards = ["field_filled:nada"]', 58, "no hay un campo «nada»"),
    ('guards = ["assigned"]', 'guards = ["contact_recorded:fax"]', 58,
     "se esperaba contact_recorded:call o :whatsapp"),
    ('guards = ["assigned"]', 'guards = ["checklist_complete"]', 58, "falta closing.checklist"),
    ('by = ["assignee"]', 'by = ["assignee"]\nwhen = "checklist_complete"', 54, "falta closing.checklist"),
    ('effects = ["take"]', 'effects = ["explode"]', 59, "no conocemos «explode»"),
    ('effects = ["take"]', 'effects = ["post_response:R9"]', 59, "no hay una respuesta estándar «R9»"),
    ('effects = ["take"]', 'effects = ["send_survey"]', 59, "send_survey necesita closing.survey = true"),
    ('effects = ["take"]', 'effects = ["write_solution", "post_response:R1"]', 48,
     "una acción deja un solo mensaje: write_solution, post_response"),
    ('notify = [{ to = "requester", template = "closed" }]',
     'notify = [\n  { to = "requester", template = "closed" },\n  { to = "assignee", template = "cerrado" },\n]', 62,
     "no hay un correo «cerrado»"),
    ('when = ["assigned", "field.tipo=a"]', 'stages = ["otra"]', 66, "no hay una etapa «otra»"),
    ('when = ["assigned", "field.tipo=a"]', 'when = "field.tipo=z"', 66, "«tipo» no tiene la opción «z»"),
    ('when = ["assigned", "field.tipo=a"]', 'kind = "note"', 66, "«note» no es uno de: follow_up, solution"),
    ('key = "R1"', 'key = ""', 63, "falta una clave en minúsculas, sin espacios ni tildes"),
    ('key = "fin"', 'key = "nuevo"', 44, "la clave «nuevo» está repetida"),
]  # fmt: skip


@pytest.mark.demand("S4.26")
@pytest.mark.parametrize(
    ("old", "new", "line", "message"), BROKEN, ids=[f"{b[2]}-{b[1][:40]}" for b in BROKEN]
)
def test_problem_names_its_line(old, new, line, message):
    problems = problems_of(changed(old, new))
    assert (line, message) in problems if message else line in {number for number, _message in problems}


STAGE = 'key = "nuevo"\nlabel = "Nuevo"\nkind = "new"\nowner = "role:supervisor"\n'
MORE = """
[[fields]]
key = "causa"
label = "Causa"
filled_by = "staff"

[[stages]]
key = "curso"
label = "Curso"

[[actions]]
key = "empezar"
label = "Empezar"
from = ["nuevo"]
to = "curso"
by = ["staff"]

[[actions]]
key = "terminar"
label = "Terminar"
from = ["curso"]
to = "fin"
by = ["staff"]
"""
assert load(GOOD + MORE)
IMPOSSIBLE = [
    # the text to replace in GOOD + MORE, its replacement, the problem
    ('body = "Hola"', 'body = "Hola, {cliente}"',
     "no hay una variable {cliente}; hay {saludo}, {nombre}, {folio}, {vigente}, {llamada}, {terminos}"),
    ('body = "Hola"', 'body = { es = "Hola", en = "Hi, { nombre del cliente }" }', "no hay una variable {nombre del"),
    ('severity = "low"', 'icon = "telefono"', "no hay un icono «telefono»"),
    ('severity = "low"', 'icon = "bi-phone"', "no hay un icono «bi-phone»: ¿phone?"),
    ('{ key = "a", label = "A" }', '{ key = "a", label = "A", icon = "telefono" }', "no hay un icono «telefono»"),
    ('label = "Detalle"', 'label = "Detalle"\ntype = "date"\nprefill = "app_version"', "prefill va con preguntas"),
    ('phone = "optional"', 'home_title = "Hola"', "no se lee en ninguna parte: va con on_home = true"),
    ('phone = "optional"', 'title_from = ["nada"]', "no hay un campo «nada»"),
    ('phone = "optional"', 'title_from = ["causa"]', "«causa» la responde el equipo"),
    ('phone = "optional"', 'title_from = ["tipo"]', "el título podría quedar vacío"),
    ('severity = "low"', f'description = "{"x" * 201}"', "tiene 201 caracteres; caben 200"),
    ('label = "General"', f'label = "{"x" * 121}"', "tiene 121 caracteres; caben 120"),
    ('label = "Detalle"', 'label = "Detalle"\npattern = "(?=a)a"', "la expresión no puede mirar adelante ni atrás"),
    ('label = "Detalle"', 'label = "Detalle"\npattern = "(a{99}){99}"', "la expresión es demasiado grande"),
    ('label = "Detalle"', 'label = "Detalle"\ntype = "date"\npattern = "a"', "pattern va con el tipo text"),
    ('label = "Detalle"', 'label = "Detalle"\ndays = "past"', "days va con el tipo date"),
    ('label = "Detalle"', 'label = "Detalle"\nminimum = 1', "minimum y maximum van con el tipo number"),
    ('label = "Detalle"', 'label = "Detalle"\ntype = "number"\nminimum = 3\nmaximum = 2', "ningún número sirve"),
    ('label = "Detalle"', 'label = "Detalle"\ntype = "number"\nminimum = nan', "se esperaba un número"),
    ('label = "Detalle"', 'label = "Detalle"\ntype = "phone"\nmax_length = 9', "max_length va con los tipos text"),
    ('shown_when = { tipo = "a" }', 'shown_when = { causa = "x" }', "nunca se pregunta: «causa» la responde el equipo"),
    ('label = "Causa"', ('label = "Causa"\nfilled_by = "staff"\nshown_when = { causa2 = "x" }\n'
     '[[fields]]\nkey = "causa2"\nlabel = "C"\n'
     'shown_when = { causa = "x" }'), "nunca se pregunta: «causa2» depende a su vez de esta"),
    ('owner = "role:supervisor"', 'owner = "nobody"', "«nobody» es el dueño de las etapas finales"),
    ('owner = "role:supervisor"', 'owner = "department"', "ningún ticket de este proceso tiene departamento"),
    ('owner = "role:supervisor"', 'owner = "actor_of:empezar"', "«empezar» no puede haberse hecho antes"),
    ('owner = "role:supervisor"', 'owner = "department_of:tipo2"', "no hay un campo «tipo2»"),
    ('owner = "role:supervisor"', 'owner = "department_of:detalle"', "debe ser una pregunta de tipo choice"),
    ('owner = "role:supervisor"', 'owner = "user:' + "x" * 250 + '@x.es"', "se esperaba el correo de una persona"),
    ('by = ["assignee"]', 'by = ["nobody"]', "«nobody» es nadie: nunca podría"),
    ('from = ["nuevo"]\nto = "fin"\nby = ["assignee"]', 'from = ["fin"]\nto = "nuevo"\nby = ["owner"]',
     "nadie es dueño de «fin»: nunca podría"),
    ('by = ["assignee"]', 'by = ["assignee"]\nwhen = ["assigned", "not assigned"]',
     "nunca se ofrece: «assigned», «not assigned» no se cumplen a la vez"),
    ('by = ["assignee"]', 'by = ["assignee"]\nwhen = ["field.tipo=a", "field.tipo=b"]',
     "nunca se ofrece: «field.tipo=a», «field.tipo=b» no se cumplen a la vez"),
    ('by = ["assignee"]', 'by = ["assignee"]\nwhen = "field.causa=x"', "«causa» no puede haberse respondido antes"),
    ('guards = ["assigned"]', 'guards = ["field_filled:causa"]', None),
    ('guards = ["assigned"]', 'guards = ["duplicate_conditions_met"]', None),
    ("[closing]", '[answers]\nsolution_from = []\n[closing]', None),
    ('guards = ["assigned"]', 'guards = ["whatsapp_documented"]', None),
    ('effects = ["take"]', 'effects = ["ask_for_call"]', None),
    ('to = "curso"\nby = ["staff"]', 'to = "curso"\nby = ["staff"]\neffects = ["ask_for_call"]',
     "ask_for_call es para acciones que cierran"),
    ('effects = ["take"]', 'effects = ["write_solution"]', "write_solution mandaría una solución vacía"),
    ('"solution_done", required = false', '"assignee", required = false', "«assignee» se pregunta dos veces"),
    ('to = "requester", template = "received"', 'to = "assignee", template = "new_ticket"',
     "al abrirse, el ticket todavía no tiene responsable"),
    ('to = "requester", template = "received"', 'to = "staff", template = "received"',
     "«received» es un correo para el solicitante"),
    ('template = "closed"', 'template = "new_link"', "«new_link» lo manda la mesa por su cuenta"),
    ('template = "closed"', 'template = "nonconformity"', "«nonconformity» es un correo para el equipo"),
    ('to = "requester", template = "closed"', 'to = "nobody", template = "closed"', "«nobody» es nadie"),
    ('to = "requester", template = "closed"', 'to = "actor_of:empezar", template = "closed"',
     "«empezar» no puede haberse hecho antes"),
    ('to = "fin"\nby = ["staff"]', 'to = "curso"\nby = ["staff"]', "desde «curso» no se llega a ningún final"),
    ('to = "fin"\nby = ["staff"]', ('to = "fin"\non = "silence"\nafter_days = 3\n[[actions]]\nkey = "recordar"\n'
     'label = "R"\nfrom = ["curso"]\non = "silence"\nafter_days = 5'),
     "en «curso» nunca se dispara: «terminar» va antes y siempre se cumple"),
    ('to = "fin"\nby = ["staff"]', ('to = "fin"\non = "requester_message"\n[[actions]]\nkey = "otra"\nlabel = "O"\n'
     'from = ["curso"]\non = "requester_message"'), "en «curso» nunca se dispara: «terminar» va antes"),
    ('from = ["curso"]\nto = "fin"\nby = ["staff"]', ('from = ["curso"]\nto = "fin"\nby = ["staff"]\n[[actions]]\n'
     'key = "ida"\nlabel = "I"\nfrom = ["curso"]\nto = "espera"\non = "silence"\nafter_days = 3\n[[actions]]\n'
     'key = "vuelta"\nlabel = "V"\nfrom = ["espera"]\nto = "curso"\non = "silence"\nafter_days = 3\n[[stages]]\n'
     'key = "espera"\nlabel = "E"'), "el silencio solo daría vueltas sin fin: de «espera» vuelve a «curso»"),
    ('from = ["curso"]\nto = "fin"\nby = ["staff"]', ('from = ["curso"]\nto = "fin"\nby = ["staff"]\n[[actions]]\n'
     'key = "tarde"\nlabel = "T"\nfrom = ["fin"]\non = "deadline_passed"'), "en una etapa final ya no corre"),
    ('from = ["curso"]\nto = "fin"\nby = ["staff"]', ('from = ["curso"]\nto = "fin"\nby = ["staff"]\n[[actions]]\n'
     'key = "al_llegar"\nlabel = "L"\nfrom = ["nuevo"]\nto = "curso"\non = "stage_entered"'),
     "nunca se dispara: ninguna acción lleva a «nuevo»"),
    ('from = ["curso"]\nto = "fin"\nby = ["staff"]', ('from = ["curso"]\nto = "fin"\nby = ["staff"]\n[[actions]]\n'
     'key = "al_llegar"\nlabel = "L"\nfrom = ["curso"]\nto = "fin"\non = "stage_entered"\n[[actions]]\n'
     'key = "luego"\nlabel = "L"\nfrom = ["fin"]\non = "stage_entered"'),
     "«luego» no se dispararía: stage_entered actúa una sola vez"),
    ('from = ["nuevo"]\nto = "curso"\nby = ["staff"]', 'from = ["nuevo"]\nto = "curso"\non = "solution_sent"',
     "nunca se dispara: en esas etapas no se envían soluciones"),
    ('when = ["assigned", "field.tipo=a"]', 'kind = "solution"\nstages = ["nuevo"]', "en esas etapas no se envían"),
]  # fmt: skip


@pytest.mark.demand("S4.26")
@pytest.mark.parametrize(
    ("old", "new", "message"), IMPOSSIBLE, ids=[f"{i}-{b[1][:40]}" for i, b in enumerate(IMPOSSIBLE)]
)
def test_what_can_never_happen_is_a_problem(old, new, message):
    source = GOOD + MORE
    assert old in source
    if message is None:
        assert load(source.replace(old, new, 1))
        return
    problems = problems_of(source.replace(old, new, 1))
    assert any(message in text for _line, text in problems), problems
    assert all(line > 1 for line, _text in problems)


CHECKLIST = """
[[closing.checklist]]
key = "revisada"
label = "Revisada"
"""


def test_neither_asks_nor_guards_ask_staff_for_a_field_that_sets_a_column():
    """A guard's missing field is asked for in the form: the answer «critical» left the ticket's severity at low."""
    sets = changed('key = "a", label = "A"', 'key = "low", label = "A"').replace("tipo = ", "otro = ")
    sets = sets.replace('key = "b", label = "B"', 'key = "critical", label = "B"').replace(
        "tipo=a", "tipo=low"
    )
    sets = sets.replace('type = "choice"', 'type = "choice"\nsets = "severity"')
    sets = sets.replace('shown_when = { otro = "a" }\n', "")
    assert load(sets)
    for old, new in (
        ('"assignee",', '"assignee", "tipo",'),
        ('["assigned"]', '["assigned", "field_filled:tipo"]'),
    ):
        messages = [message for _line, message in problems_of(sets.replace(old, new, 1))]
        assert messages == ["«tipo» fija severity: pregunta eso"]


EXPIRES = """
[[actions]]
key = "caducar"
label = "Caducar"
from = ["nuevo"]
to = "fin"
on = "silence"
after_days = 3

"""
CLOSING = GOOD.replace("survey = false\n", f"survey = false\n{CHECKLIST}")


@pytest.mark.demand("S2.44", "S4.26")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('guards = ["assigned"]', 'guards = ["checklist_complete"]'),
        ('by = ["assignee"]', 'by = ["assignee"]\nwhen = "checklist_complete"'),
        ('kind = "done"', 'kind = "cancelled"'),
    ],
)
def test_process_whose_closing_awaits_the_checklist_loads(old, new):
    assert load(CLOSING.replace(old, new, 1)).closing.checklist


@pytest.mark.demand("S2.44", "S4.26")
@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("", "", 56, "cierra sin mirar la lista de cierre: pon checklist_complete en guards"),
        (
            'by = ["assignee"]',
            'by = ["assignee"]\nwhen = "not checklist_complete"',
            56,
            "cierra sin mirar la lista de cierre: pon checklist_complete en guards",
        ),
        (
            'guards = ["assigned"]',
            'guards = ["checklist_by_another"]',
            56,
            "cierra sin mirar la lista de cierre: pon checklist_complete en guards",
        ),
        (
            "[[responses]]",
            EXPIRES + "[[responses]]",
            71,
            "cierra sin mirar la lista de cierre: pon checklist_complete en when",
        ),
    ],
)
def test_closing_that_ignores_the_checklist_is_a_problem(old, new, line, message):
    assert (line, message) in problems_of(CLOSING.replace(old, new, 1))


@pytest.mark.django_db
def test_published_version_that_ignores_the_checklist_keeps_its_tickets():
    ticket = make_ticket(make_process("soporte-con-aprobacion"))
    before = library()["soporte-con-aprobacion"].replace('"checklist_complete", ', "")
    problems_of(before)
    ProcessVersion.objects.filter(pk=ticket.process_version_id).update(source=before)
    ProcessVersion.objects.forget(ticket.process_version_id)
    ticket = Ticket.objects.get(pk=ticket.pk)
    Ticket.objects.filter(pk=ticket.pk).update(stage="aprobacion", stage_kind="closure_approval")
    Ticket.objects.filter(pk=ticket.pk).update(solution_sent_at=ticket.created_at)
    assert perform(ticket, "aprobar", actor=ticket.requester).stage == "cerrado"


@pytest.mark.demand("S2.44")
@pytest.mark.parametrize("action", ["cerrar", "cerrar_sin_hablar", "cerrar_sin_pendientes"])
def test_s2_without_the_checklist_in_a_closing_is_refused(action):
    before, key, after = library()["soporte-con-aprobacion"].partition(f'key = "{action}"')
    source = before + key + after.replace('"checklist_complete", ', "", 1)
    assert [message for _line, message in problems_of(source)] == [
        "cierra sin mirar la lista de cierre: pon checklist_complete en "
        + ("when" if action == "cerrar_sin_pendientes" else "guards")
    ]


@pytest.mark.parametrize(
    ("by", "guard", "message"),
    [
        ("staff", "solution_sent", "antes no se puede haber enviado una solución"),
        ("requester", "solution_sent", "antes no se puede haber enviado una solución"),
        ("requester", "solution_written", "ninguna acción pregunta «solution_done»"),
        ("requester", "field_filled:causa", "ninguna acción pregunta «causa»"),
        ("requester", "duplicate_conditions_met", "ninguna acción pregunta «duplicate_of»"),
    ],
)
def test_guard_that_nothing_satisfies_is_a_problem(by, guard, message):
    """Staff are asked for what a guard lacks, so for them only an impossible one is a problem."""
    source = (GOOD + MORE).replace("[closing]", "[answers]\nsolution_from = []\n[closing]")
    source = source.replace(
        'by = ["assignee"]\nasks = [\n  "assignee",\n  { field = "solution_done", required = false },\n]\n',
        f'by = ["{by}"]\n',
    )
    source = source.replace('guards = ["assigned"]', f'guards = ["{guard}"]')
    assert any(f"nada puede cumplirla: {message}" in text for _line, text in problems_of(source))


def test_misspelt_table_is_reported_at_its_line_with_a_suggestion():
    table = '[[acciones]]\nkey = "x"\n\n[[fieldz]]\nkey = "y"\n\n[a.b]\nc = 1\n'
    first = GOOD.count("\n") + 1
    assert problems_of(GOOD + table) == [
        (first, "no conocemos «acciones» aquí: ¿actions?"),
        (first + 3, "no conocemos «fieldz» aquí: ¿fields?"),
        (first + 6, "no conocemos «a» aquí"),
    ]
    assert (18, "no conocemos «etiqueta» aquí: ¿label?") not in problems_of(
        changed('label = "General"', 'etiqueta = "General"')
    )
    assert (20, "no conocemos «etiqueta» aquí: ¿label?") in problems_of(
        changed('label = "General"', 'etiqueta = "General"')
    )


def test_person_who_may_see_nothing_is_refused(db):
    named = changed('owner = "role:supervisor"', 'owner = "user:mateo@example.com"')
    check_for_desk(named)  # nobody yet: the account may come later
    mateo = make_user(email="mateo@example.com")
    with pytest.raises(DefinitionError, match="no es del equipo"):
        check_for_desk(named)
    mateo.role = "agent"
    mateo.save()
    check_for_desk(named)
    mateo.is_active = False
    mateo.save()
    with pytest.raises(DefinitionError, match="su cuenta está desactivada"):
        check_for_desk(named)


def test_answers_that_name_no_department_are_refused(db):
    named = changed('owner = "role:supervisor"', 'owner = "department_of:tipo"')
    with pytest.raises(DefinitionError, match="ninguna opción de «tipo» es la clave de un departamento"):
        check_for_desk(named)
    check_for_desk(named + '\n[[departments]]\nkey = "a"\nlabel = "A"\n')


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("", 1, "falta una clave"),
        (f"x = {'9' * 5000}", 1, "no es TOML válido"),
        ("format = 1\nkey = ", 2, "no es TOML válido"),
        ('format = 1\nkey = "x"\nname = "X', 3, "no es TOML válido"),
        ('format = 1\nkey = "x"\nkey = "y"', 3, "no es TOML válido"),
        ('format = 1\nkey = "x"\nname = "X"', 1, "falta al menos una etapa"),
        ("stages = 3", 1, "se esperaba una lista"),
        ("x = " + "[" * 5000 + "]" * 5000, 1, "hay demasiados corchetes anidados"),
        ("# " + "x" * 300_000, 1, "el archivo es demasiado grande"),
    ],
)
def test_unreadable_file_is_reported_as_a_problem(source, line, message):
    problems = problems_of(source)
    assert any(number == line and message in text for number, text in problems), problems


def test_unreachable_and_dead_end_stages_are_reported():
    lost = '\n[[stages]]\nkey = "isla"\nlabel = "Isla"\n'
    line = GOOD.count("\n") + 2
    assert problems_of(GOOD + lost) == [
        (line, "no se llega nunca a «isla»"),
        (line, "no se sale nunca de «isla»"),
    ]


def test_process_needs_an_end_stage():
    problems = problems_of(changed('kind = "done"', 'kind = "work"'))
    assert (37, "ninguna etapa termina el proceso") in problems


def test_all_problems_are_reported_together():
    source = changed('template = "received"', 'template = "resivido"')
    source = source.replace('guards = ["assigned"]', 'guards = ["no"]')
    assert [line for line, _message in problems_of(source)] == [8, 58]
    with pytest.raises(DefinitionError) as refused:
        load(source)
    assert refused.value.message == (
        "línea 8, intake.notify.1.template: no hay un correo «resivido»\n"
        "línea 58, actions.1.guards.1: no conocemos «no»"
    )


def test_department_must_exist_or_be_declared(db):
    named = changed('severity = "low"', 'severity = "low"\ndepartment = "ventas"')
    with pytest.raises(DefinitionError) as refused:
        publish(named.replace('by = ["assignee"]', 'by = ["department:bodega"]'))
    assert [problem.line for problem in refused.value.problems] == [22, 54]
    assert not Process.objects.exists()
    Department.objects.create(key="ventas", name="Ventas")
    assert check_for_desk(named).key == "minimo"
    declared = '[[departments]]\nkey = "bodega"\nlabel = "Bodega"\n'
    publish(named.replace('by = ["assignee"]', 'by = ["department:bodega"]') + declared)
    assert Department.objects.get(key="bodega").name == "Bodega"


def test_refused_file_leaves_the_process_unchanged(db):
    process = make_process()
    with pytest.raises(DefinitionError):
        publish(process.current.source.replace('to = "procesar"', 'to = "procesando"'))
    process.refresh_from_db()
    assert (process.current.number, process.versions.count()) == (1, 1)


# --- Lines --------------------------------------------------------------------------------------------------


TRICKY = """\
a = '''
[no]
b = 1
''' # [[x]]
[t."u v"]
k = [
  1, # ]
  { m = "}" },
]
[[l]]
[[l.n]]
z = 1
[[l]]
[[l.n]]
z = 2
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 1),
        (("t", "u v", "k"), 6),
        (("t", "u v", "k", 0), 7),
        (("t", "u v", "k", 1, "m"), 8),
        (("l", 0, "n", 0, "z"), 12),
        (("l", 1, "n", 0, "z"), 15),
        (("l", 1, "nothing", 5), 13),
        (("nowhere",), 1),
    ],
)
def test_lines_are_found_through_strings_comments_and_nesting(path, line):
    assert LineIndex(TRICKY).line(path) == line


KEYS = st.text("abcdefgh_", min_size=1, max_size=6)
ITEMS = st.lists(st.sampled_from(['"x"', "1", '{ k = "]" }']), max_size=3)
VALUES = st.one_of(
    st.integers(0, 99).map(str),
    st.text("ab#[]{},='\n", max_size=8).map(lambda text: f'"""{text} """'),
    ITEMS.map(lambda items: "[\n" + ",\n".join(items) + "\n]"),
)


@given(st.lists(st.tuples(KEYS, VALUES), max_size=8, unique_by=lambda pair: pair[0]))
def test_every_key_is_found_on_its_line(pairs):
    source, lines = "", {}
    for key, value in pairs:
        lines[key] = source.count("\n") + 1
        source += f"{key} = {value}\n"
    index = LineIndex(source)
    assert {key: index.line((key,)) for key in lines} == lines
