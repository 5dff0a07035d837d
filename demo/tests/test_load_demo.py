"""The demo's data are complete and consistent in time, and loading them again changes nothing."""

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db.models import F, Min, Q
from django.test import Client, override_settings
from django.utils import timezone

from accounts.enums import Standing
from accounts.models import Department, User
from demo.models import DemoMail
from demo.replay import people
from demo.replay.clock import time_is
from demo.run import ACCOUNTS, PASSWORD
from knowledge import deflections, proposal_uses
from knowledge.models import Deflection, SolutionPattern
from notifications.enums import MailState
from notifications.models import OutgoingEmail
from tickets.enums import END_KINDS, ClockKind, StageKind
from tickets.models import (
    Attachment,
    Clock,
    ContactEntry,
    Draft,
    Mention,
    Message,
    Nonconformity,
    Survey,
    Ticket,
    TicketEvent,
)

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
DEMO_MAILBOX = "demo.mailbox.backend.DemoMailbox"


@pytest.fixture(scope="module")
def demo(django_db_setup, django_db_blocker):
    """Load the demo once for all tests of this file; roll it back after the last one."""
    from django.db import transaction

    with django_db_blocker.unblock(), override_settings(EMAIL_BACKEND=DEMO_MAILBOX):
        outer = transaction.atomic()
        outer.__enter__()
        call_command("load_demo", verbosity=0)
        yield
        transaction.set_rollback(True)
        outer.__exit__(None, None, None)


def test_standing_since_uses_the_default_time_zone(monkeypatch):
    inactive = people.Person("nadie", "Nadie Ya", is_inactive=True)
    monkeypatch.setattr(people, "STAFF", ())
    monkeypatch.setattr(people, "CUSTOMERS", (inactive,))
    evening = datetime(2026, 3, 2, 21, 0, tzinfo=ZoneInfo("America/Caracas"))
    with time_is(evening):
        user = people.load()["nadie"]
    assert user.standing_since == evening.date() - timedelta(days=people.INACTIVE_DAYS)


def test_every_demo_account_can_sign_in(demo):
    for address in ACCOUNTS:
        user = authenticate(email=address, password=PASSWORD)
        assert user is not None, address
        assert user.emailaddress_set.get().verified
        client = Client()
        client.force_login(user)
        assert client.get("/", follow=True).status_code == 200
    assert User.objects.get(email="inactivo@demo.test").standing == Standing.INACTIVE
    assert not User.objects.exclude(email__endswith="@demo.test").exists()


def test_every_stage_has_tickets(demo):
    stages = set(Ticket.objects.values_list("process_version__process__key", "stage"))
    for version in {ticket.process_version for ticket in Ticket.objects.select_related("process_version")}:
        key = version.process.key
        if key in ("soporte-con-aprobacion", "incidencia-tecnica"):
            assert {(key, stage.key) for stage in version.definition.stages} <= stages
    assert 55 <= Ticket.objects.count() <= 75
    names = set(Department.objects.values_list("name", flat=True))
    assert names >= {
        "Administración",
        "Coordinación de Ciencias Aeronáuticas (CCA)",
        "Académico",
        "Soporte técnico",
    }


def test_demo_has_every_kind_of_ticket(demo):
    now = timezone.now()
    open_tickets = Ticket.objects.exclude(stage_kind__in=END_KINDS)
    assert open_tickets.filter(is_escalated=True).count() >= 2
    assert open_tickets.filter(due_at__range=(now, now + timedelta(hours=12)), is_paused=False).count() >= 2
    assert open_tickets.filter(is_paused=True).count() >= 3
    assert open_tickets.filter(assignee=None).exists()
    assert Survey.objects.values("score").distinct().count() >= 3
    assert Nonconformity.objects.filter(reviewed_at=None).exists()
    assert Nonconformity.objects.exclude(reviewed_at=None).exists()
    for model, least in ((Mention, 3), (ContactEntry, 4), (Draft, 1), (Attachment, 12)):
        assert model.objects.count() >= least, model


def test_demo_customer_has_tickets_in_every_state(demo):
    theirs = Ticket.objects.filter(requester__email="cliente@demo.test")
    kinds = set(theirs.values_list("stage_kind", flat=True))
    assert kinds >= {StageKind.CLOSURE_APPROVAL, StageKind.WAITING_CUSTOMER, StageKind.WORK, StageKind.DONE}
    mails = DemoMail.objects.filter(recipient="cliente@demo.test")
    assert mails.count() >= 8
    assert DemoMail.objects.count() == mails.count()
    assert mails.filter(subject__contains=theirs.get(stage_kind=StageKind.CLOSURE_APPROVAL).folio).exists()
    assert not OutgoingEmail.objects.filter(state=MailState.QUEUED).exists()


def test_times_are_consistent(demo):
    now = timezone.now()
    assert not TicketEvent.objects.filter(at__gt=now).exists()
    assert not Message.objects.filter(created_at__gt=now).exists()
    assert not Ticket.objects.filter(updated_at__lt=F("created_at")).exists()
    events = TicketEvent.objects.order_by("ticket", "version").values_list("ticket", "at")
    for (ticket, at), (next_ticket, next_at) in pairwise(events):
        assert ticket != next_ticket or at <= next_at
    days = (now - Ticket.objects.aggregate(first=Min("created_at"))["first"]).days
    assert days > 30
    folios = [
        int(f.rpartition("-")[2])
        for f in Ticket.objects.order_by("created_at", "id").values_list("folio", flat=True)
    ]
    assert folios == sorted(folios)
    late = Clock.objects.filter(kind=ClockKind.RESOLUTION, breached_at__isnull=False)
    assert late.exists()
    assert (
        not late.exclude(breached_at=F("due_at"))
        .exclude(Q(paused_at=None) & Q(stopped_at=None))
        .exclude(breached_at__lte=F("due_at"))
        .exists()
    )


def test_loading_twice_changes_nothing(demo):
    before = (Ticket.objects.count(), TicketEvent.objects.count(), OutgoingEmail.objects.count())
    user = User.objects.get(email="cliente@demo.test")
    user.set_password("una-clave-propia-2026")
    user.save()
    call_command("load_demo", verbosity=0)
    assert (Ticket.objects.count(), TicketEvent.objects.count(), OutgoingEmail.objects.count()) == before
    assert authenticate(email=user.email, password="una-clave-propia-2026") == user


def test_load_demo_refuses_production(demo):
    with override_settings(PRODUCTION=True), pytest.raises(CommandError, match="production"):
        call_command("load_demo")


def test_time_is_changes_model_defaults_and_is_undone():
    then = timezone.now() - timedelta(days=9)
    with time_is(then):
        assert timezone.now() == then
        assert Message._meta.get_field("created_at").default() == then
    assert timezone.now() > then


def test_same_solution_of_five_customers_is_offered(demo):
    pattern = SolutionPattern.objects.get(category="plataforma")

    assert pattern.title.startswith("No puedo subir la tarea al aula")
    assert "Guarda la tarea como PDF." in pattern.text
    assert (pattern.cases, pattern.customers) == (5, 5)
    assert deflections.by_pattern() == {pattern.pk: 3}


def test_supervisor_sees_what_answers_and_proposals_did(demo):
    assert deflections.counted().count() == 15
    assert proposal_uses.share() == proposal_uses.Share(taken=6, set_aside=1)
    assert not Deflection.objects.exclude(user=None, visitor="").exists()
