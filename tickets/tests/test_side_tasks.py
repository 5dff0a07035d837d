"""Side tasks: several departments work for one ticket at once, while it stays where it is (S0.20)."""

import uuid

import pytest

from accounts.tests.factories import make_agent, make_department, make_supervisor, make_user
from content.errors import InvalidData
from tickets import policies
from tickets.enums import EventKind
from tickets.exceptions import GuardFailed, NotAllowed
from tickets.lists import history, queues
from tickets.models import SideTask, Ticket, Turn
from tickets.tests.factories import make_process, make_ticket
from tickets.workflow import side_tasks
from tickets.workflow.conversation import public_conversation
from tickets.workflow.perform import perform

pytestmark = [pytest.mark.django_db, pytest.mark.demand("S0.20")]


class World:
    """An incident of the technical support, and two teams that are asked for something."""

    def __init__(self):
        self.development, self.operations = make_department("desarrollo"), make_department("infraestructura")
        self.technician = make_agent(name="Diego Salazar")
        self.developer = make_agent(self.development, name="Ana Prieto")
        self.colleague = make_agent(self.development, name="Eva Gil", notify_by_email=False)
        self.operator = make_agent(self.operations, name="Luis Mora")
        self.ticket = make_ticket(make_process("incidencia-tecnica"), requester=make_user())
        Ticket.objects.filter(pk=self.ticket.pk).update(
            stage="diagnostico", stage_kind="work", assignee=self.technician
        )
        self.refresh()

    def refresh(self):
        self.ticket = Ticket.objects.get(pk=self.ticket.pk)
        return self.ticket

    def ask(self, department, title="Revisar los registros", **details):
        task = side_tasks.ask(
            self.ticket, actor=self.technician, department=department, title=title, **details
        )
        self.refresh()
        return task

    def told(self):
        """Return whom the events about tasks told, with the mail, in order."""
        events = self.ticket.events.filter(kind__startswith="task_").order_by("version")
        return [(entry["template"], entry["to"]) for event in events for entry in event.notify]

    def sees(self, *people):
        return [policies.can_view(person, self.ticket) for person in people]


@pytest.fixture
def world():
    return World()


def test_two_departments_work_at_once_and_the_ticket_stays_where_it_is(world):
    before = (world.ticket.stage, world.ticket.assignee, world.ticket.due_at)
    first = world.ask(world.development, "Parche de la pantalla de pago", details="Falla desde la 4.12.")
    second = world.ask(world.operations)
    assert (world.ticket.open_tasks, world.sees(world.colleague, world.operator)) == (2, [True, True])
    assert world.told() == [
        ("task_asked", "department:desarrollo"),
        ("task_asked", "department:infraestructura"),
    ]

    side_tasks.take(first, actor=world.developer)
    side_tasks.finish(first, actor=world.developer, result="Corregido en la 4.12.1.")
    assert world.refresh().open_tasks == 1
    assert world.sees(world.developer, world.colleague, world.operator) == [False, False, True]
    first.refresh_from_db()
    assert (first.result, first.assignee, first.ended_by) == (
        "Corregido en la 4.12.1.",
        world.developer,
        world.developer,
    )
    assert ("task_done", f"user:{world.technician.email}") in world.told()

    side_tasks.finish(second, actor=world.operator, result="Sin errores.")
    assert world.refresh().open_tasks == 0
    assert not Turn.objects.filter(ticket=world.ticket, who__startswith="department:").exists()
    assert (world.ticket.stage, world.ticket.assignee, world.ticket.due_at) == before


def test_requester_learns_nothing_of_side_tasks(world):
    public, changed = world.ticket.public_version, world.ticket.updated_at
    task = world.ask(world.development)
    side_tasks.finish(task, actor=world.developer, result="Hecho.")
    world.refresh()
    assert (world.ticket.public_version, world.ticket.updated_at) == (public, changed)
    told = public_conversation(world.ticket)["events"].values_list("kind", flat=True)
    assert not {EventKind.TASK_ASKED, EventKind.TASK_DONE} & set(told)
    assert "requester" not in [to for _template, to in world.told()]


def test_queue_has_the_tickets_with_a_task_for_the_persons_departments(world):
    world.ask(world.development)
    make_ticket()
    people = (world.developer, world.operator, world.technician, make_supervisor())
    listed = [list(queues.SIDE_TASKS.tickets(person)) for person in people]
    assert listed == [[world.ticket], [], [], [world.ticket]]


def test_who_took_a_task_finds_and_finishes_it_even_from_another_department(world):
    task = world.ask(world.development)
    side_tasks.take(task, actor=world.developer)
    world.developer.memberships.all().delete()
    developer = type(world.developer).objects.get(pk=world.developer.pk)
    assert policies.can_view(developer, world.refresh())
    assert list(queues.SIDE_TASKS.tickets(developer)) == [world.ticket]
    side_tasks.finish(task, actor=developer, result="Hecho.")


def test_supervisor_who_finishes_leaves_the_task_to_who_took_it(world):
    task = world.ask(world.development)
    side_tasks.take(task, actor=world.developer)
    finished = side_tasks.finish(task, actor=make_supervisor(), result="Lo cerramos.")
    assert finished.assignee == world.developer


def test_other_stages_leave_tasks_open(world):
    task = world.ask(world.development)
    perform(
        world.ticket, "pedir_informacion", actor=world.technician, data={"message": "¿Qué versión tienes?"}
    )
    task.refresh_from_db()
    assert (task.is_open, world.refresh().open_tasks, world.sees(world.developer)) == (True, 1, [True])


def test_process_that_gives_no_turns_shows_its_ticket_while_a_task_is_open(world):
    ticket = make_ticket(make_process("solicitud-guiada"), requester=make_user())
    assert not ticket.definition.gives_turns
    task = side_tasks.ask(ticket, actor=make_supervisor(), department=world.operations, title="Mirar")
    assert policies.can_view(world.operator, Ticket.objects.get(pk=ticket.pk))
    side_tasks.withdraw(task, actor=make_supervisor())
    assert not policies.can_view(world.operator, Ticket.objects.get(pk=ticket.pk))


def test_asker_and_assignee_withdraw_and_nobody_else_of_the_department(world):
    asker, bystander = make_agent(name="Rosa"), make_agent(name="Iván")
    tasks = [
        side_tasks.ask(world.ticket, actor=asker, department=world.development, title="Mirar")
        for _ in range(2)
    ]
    with pytest.raises(NotAllowed):
        side_tasks.withdraw(tasks[0], actor=bystander)
    side_tasks.withdraw(tasks[0], actor=asker)
    side_tasks.withdraw(tasks[1], actor=world.technician)


def test_asker_who_may_no_longer_see_the_ticket_withdraws_nothing(world):
    asker = make_agent(name="Rosa")
    task = side_tasks.ask(world.ticket, actor=asker, department=world.development, title="Mirar")
    asker.memberships.all().delete()
    with pytest.raises(NotAllowed):
        side_tasks.withdraw(task, actor=type(asker).objects.get(pk=asker.pk))


def test_page_that_was_open_during_another_finish_changes_nothing(world):
    task = world.ask(world.development)
    stale = SideTask.objects.get(pk=task.pk)
    side_tasks.finish(task, actor=world.developer, result="Primero.")
    with pytest.raises(GuardFailed):
        side_tasks.finish(stale, actor=world.colleague, result="Segundo.")
    assert SideTask.objects.get(pk=task.pk).result == "Primero."


def test_key_of_one_task_finishes_no_other(world):
    key = str(uuid.uuid4())
    first, second = world.ask(world.development, "Una"), world.ask(world.development, "Otra")
    for task in (first, second):
        side_tasks.finish(task, actor=world.developer, result=f"Hecha: {task.title}.", key=key)
    assert not world.ticket.side_tasks.open().exists()


def test_taking_again_records_nothing(world):
    task = world.ask(world.development)
    for _ in range(2):
        task = side_tasks.take(task, actor=world.developer)
    assert world.ticket.events.filter(kind=EventKind.TASK_TAKEN).count() == 1


def test_own_department_and_one_in_which_nobody_works_are_refused(world):
    for department in (world.ticket.department, make_department("reparaciones")):
        with pytest.raises(InvalidData) as refused:
            world.ask(department)
        assert list(refused.value.errors) == ["department"]


def test_withdrawn_task_ends_without_a_result_and_tells_who_had_taken_it(world):
    task = world.ask(world.development)
    side_tasks.take(task, actor=world.developer)
    with pytest.raises(NotAllowed):
        side_tasks.withdraw(task, actor=world.developer)
    side_tasks.withdraw(task, actor=world.technician)
    task.refresh_from_db()
    assert (task.is_withdrawn, world.refresh().open_tasks) == (True, 0)
    assert ("task_withdrawn", f"user:{world.developer.email}") in world.told()
    assert world.sees(world.developer, world.colleague) == [False, False]


def test_nobody_is_told_in_the_place_of_a_taker_who_left(world):
    task = world.ask(world.development)
    side_tasks.take(task, actor=world.developer)
    world.developer.is_active = False
    world.developer.save()
    side_tasks.withdraw(task, actor=world.technician)
    assert [template for template, _to in world.told()] == ["task_asked"]


def test_result_is_told_to_the_new_team_when_the_ticket_was_handed_over(world):
    task = world.ask(world.development)
    Ticket.objects.filter(pk=world.ticket.pk).update(assignee=None)
    side_tasks.finish(task, actor=world.developer, result="Hecho.")
    assert ("task_done", "assignee") in world.told()


def test_task_that_nobody_took_is_withdrawn_without_a_mail(world):
    side_tasks.withdraw(world.ask(world.development), actor=world.technician)
    assert [template for template, _to in world.told()] == ["task_asked"]


@pytest.mark.parametrize("verb", ["take", "finish", "withdraw"])
def test_ended_task_refuses_every_verb(world, verb):
    task = world.ask(world.development)
    side_tasks.finish(task, actor=world.developer, result="Hecho.")
    given = {"result": "Otra vez."} if verb == "finish" else {}
    with pytest.raises(GuardFailed, match="ya terminó"):
        getattr(side_tasks, verb)(task, actor=make_supervisor(), **given)
    task.refresh_from_db()
    assert (task.result, world.refresh().open_tasks) == ("Hecho.", 0)


def test_only_the_department_and_supervisors_take_and_finish(world):
    task = world.ask(world.development)
    for stranger in (world.operator, world.technician, world.ticket.requester):
        with pytest.raises(NotAllowed):
            side_tasks.take(task, actor=stranger)
        with pytest.raises(NotAllowed):
            side_tasks.finish(task, actor=stranger, result="No soy yo.")
    side_tasks.finish(task, actor=make_supervisor(), result="Lo hizo la supervisora.")


def test_people_who_do_not_see_the_ticket_ask_for_nothing(world):
    for stranger in (world.developer, world.ticket.requester):
        with pytest.raises(NotAllowed):
            side_tasks.ask(world.ticket, actor=stranger, department=world.operations, title="Espiar")
    assert not SideTask.objects.exists()


def test_form_sent_twice_asks_and_finishes_once(world):
    key, other = str(uuid.uuid4()), str(uuid.uuid4())
    task, again = (world.ask(world.development, key=key) for _ in range(2))
    assert (task, world.ticket.open_tasks) == (again, 1)
    for _ in range(2):
        side_tasks.finish(task, actor=world.developer, result="Hecho.", key=other)
    assert world.refresh().open_tasks == 0
    assert world.ticket.events.filter(kind=EventKind.TASK_DONE).count() == 1


def test_missing_words_and_departments_are_refused_by_field(world):
    for given, field in (
        ({"title": "  "}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"details": "x" * 200_000}, "details"),
    ):
        with pytest.raises(InvalidData) as refused:
            world.ask(world.development, **given)
        assert list(refused.value.errors) == [field]
    with pytest.raises(InvalidData):
        side_tasks.finish(world.ask(world.development), actor=world.developer, result=" ")
    world.operations.is_active = False
    world.operations.save()
    with pytest.raises(InvalidData) as refused:
        world.ask(world.operations)
    assert list(refused.value.errors) == ["department"]


def test_ticket_has_a_bounded_number_of_open_tasks(world):
    for number in range(side_tasks.MOST_OPEN):
        task = world.ask(world.development, f"Tarea {number}")
    with pytest.raises(GuardFailed, match="20 tareas"):
        world.ask(world.development)
    side_tasks.withdraw(task, actor=world.technician)
    world.refresh()
    world.ask(world.development)


def test_incident_is_not_verified_while_a_task_is_open(world):
    perform(
        world.ticket, "registrar_diagnostico", actor=world.technician, data={"diagnostico": "Un certificado."}
    )
    task = world.ask(world.development, "Renovar el certificado")
    with pytest.raises(GuardFailed, match="«Renovar el certificado»") as refused:
        perform(world.ticket, "resolver", actor=world.technician, data={"solution_done": "Listo."})
    assert refused.value.guard == "side_tasks_done"
    side_tasks.finish(task, actor=world.developer, result="Renovado.")
    perform(world.ticket, "resolver", actor=world.technician, data={"solution_done": "Listo."})
    assert world.refresh().stage == "verificacion"


def test_closing_withdraws_what_is_open_and_tells_who_had_taken_it(world):
    task, untaken = world.ask(world.development), world.ask(world.development, "Leer la documentación")
    side_tasks.take(task, actor=world.developer)
    world.refresh()
    perform(world.ticket, "descartar", actor=make_supervisor(), data=_answers(world.ticket))
    for each in (task, untaken):
        each.refresh_from_db()
        assert each.is_withdrawn
        assert each.ended_by is not None
    assert world.refresh().open_tasks == 0
    assert world.told().count(("task_withdrawn", f"user:{world.developer.email}")) == 1
    assert world.sees(world.developer, world.colleague) == [False, False]
    events = world.ticket.events.filter(kind=EventKind.TASK_WITHDRAWN).order_by("version")
    names = history.names_in(list(events))
    told = [history.tell(event, world.ticket.definition, names) for event in events]
    assert ["cerró el ticket, y con él la tarea" in each for each in told] == [True, True]
    assert "Leer la documentación" in told[1]
    with pytest.raises(GuardFailed, match="cerrado"):
        world.ask(world.development)


def _answers(ticket):
    action = ticket.definition.action("descartar")
    return {ask.field: "No procede." for ask in action.asks}


def test_history_tells_each_step_with_department_and_title(world):
    task = world.ask(world.development, "Parche <b>urgente</b>")
    side_tasks.take(task, actor=world.developer)
    side_tasks.finish(task, actor=world.developer, result="Hecho.")
    events = list(world.ticket.events.filter(kind__startswith="task_").order_by("version"))
    names = history.names_in(events)
    told = [history.tell(event, world.ticket.definition, names) for event in events]
    assert told[0] == (
        "<b>Diego Salazar</b> pidió una tarea a <b>Desarrollo</b>: <b>Parche &lt;b&gt;urgente&lt;/b&gt;</b>"
    )
    assert "tomó la tarea de <b>Desarrollo</b>" in told[1]
    assert "terminó la tarea de <b>Desarrollo</b>" in told[2]
