"""Messages: who may write replies, follow-ups, solutions and internal notes, and when (T2, S2.29)."""

import pytest

from accounts.enums import Standing
from content.errors import InvalidData
from tickets.enums import Channel, MessageKind, Purpose
from tickets.exceptions import GuardFailed, NotAllowed
from tickets.models import Attachment, Draft, Mention, Message
from tickets.record.freshness import StaleTicket
from tickets.requesters.standing import check_standing
from tickets.tests.playing import Play, prepared
from tickets.workflow import conversation

S0, S2, S3 = "incidencia-tecnica", "soporte-con-aprobacion", "solicitud-guiada"
SECRET = "La clave del servidor es kiwi-verde"


def prepare(play: Play, **data) -> Play:
    return play.do(play.supervisor, "preparar", **prepared(play, **data))


# --- Follow-ups and solutions -----------------------------------------------------------------------------------


@pytest.mark.demand("S2.29", "S2.28")
def test_solution_is_refused_outside_allowed_stages(play):
    p = play(S2)
    check_standing(p.ticket, actor=p.agent, standing=Standing.ACTIVE)
    with pytest.raises(GuardFailed, match="el caso no está resuelto"):
        p.solution()
    p.follow_up("Estamos en ello.")
    assert p.latest_message.kind == "follow_up"
    prepare(p, contribution_open=True).follow_up("¿Y la captura?")
    assert p.ticket.stage == "aporte"
    with pytest.raises(GuardFailed):
        p.solution()
    p.reply().solution("Reiniciamos el servicio.", steps="Vuelve a entrar.")
    assert (p.latest_message.kind, p.latest_message.body) == ("solution", "Reiniciamos el servicio.")
    assert (p.ticket.solution_done, p.ticket.solution_steps) == (
        "Reiniciamos el servicio.",
        "Vuelve a entrar.",
    )
    assert p.told == [("requester", "resolved")]


@pytest.mark.demand("S0.24", "S2.28")
def test_solution_requires_done_but_not_steps(play):
    p = prepare(play(S2))
    for done in ("", "  \n\u200b"):
        with pytest.raises(InvalidData) as refused:
            p.solution(done)
        assert refused.value.errors.keys() == {"done"}
    assert p.solution("Listo.").ticket.solution_steps == ""


def test_closed_ticket_refuses_a_solution(play):
    p = play(S2)
    p.do(p.supervisor, "cerrar_prueba")
    check_standing(p.ticket, actor=p.agent, standing=Standing.ACTIVE)
    with pytest.raises(GuardFailed):
        p.solution()


@pytest.mark.demand("S2.9", "S2.10")
def test_answers_need_a_checked_and_active_standing(play):
    p = play(S2)
    for answer in (p.follow_up, p.solution):
        with pytest.raises(GuardFailed) as refused:
            answer()
        assert refused.value.guard == "standing_checked"
    conversation.add_internal_note(p.ticket, actor=p.agent, body="Pregunto en administración.")
    check_standing(p.ticket, actor=p.agent, standing=Standing.INACTIVE)
    for answer in (p.follow_up, p.solution):
        with pytest.raises(GuardFailed) as refused:
            answer()
        assert refused.value.guard == "requester_active"
    check_standing(p.ticket, actor=p.agent, standing=Standing.ACTIVE)
    p.follow_up()
    assert p.told == [("requester", "reply")]


def test_follow_up_without_check_standing_is_sent_at_once(play):
    p = play(S0).follow_up("Lo vemos.")
    assert (p.ticket.first_response_at, p.ticket.last_staff_message_at) == (
        p.ticket.created_at,
        p.ticket.created_at,
    )


@pytest.mark.demand("S2.6")
def test_follow_up_with_open_contribution_sends_link(play):
    p = prepare(play(S2), contribution_open=True).follow_up()
    messages = [event for event in p.events if event.kind == "message"]
    assert messages[-1].notify == [{"to": "requester", "template": "contribution_asked"}]


# --- Replies ----------------------------------------------------------------------------------------------------


@pytest.mark.demand("S1.5", "S3.18")
def test_requester_replies_in_every_stage(play):
    p = play(S2)
    p.reply("Antes de preparar.")
    assert p.told == [("department", "requester_replied")]
    prepare(p).reply("En proceso.")
    assert p.told == [("assignee", "requester_replied")]
    p.do(p.agent, "pedir_aprobacion", solution_done="Listo").reply("¿Seguro?")
    p.review().do(p.customer, "aprobar").reply("Gracias.", keep_closed=True)
    assert [m.body for m in p.ticket.messages.filter(kind="reply")] == [
        "Antes de preparar.", "En proceso.", "¿Seguro?", "Gracias.",
    ]  # fmt: skip
    assert p.ticket.stage == "cerrado"


@pytest.mark.parametrize(
    ("purpose", "may"),
    [(Purpose.FOLLOW, True), (Purpose.CONTRIBUTE, True), (Purpose.APPROVE, False), (Purpose.SURVEY, False)],
)
def test_guest_replies_only_by_links_that_allow_it(play, purpose, may):
    p = play(S0, filed_by="guest")
    if may:
        p.reply("Hola", actor=p.guest(purpose))
        assert (p.latest_message.channel, p.latest_message.author, p.latest_message.author_name) == (
            Channel.LINK, None, "Invitada",
        )  # fmt: skip
    else:
        with pytest.raises(NotAllowed):
            p.reply("Hola", actor=p.guest(purpose))


def test_others_write_neither_as_requester_nor_as_staff(play):
    p, other = prepare(play(S2)), play(S2)
    for actor in (p.stranger, p.agent, p.supervisor, other.guest(Purpose.FOLLOW)):
        with pytest.raises(NotAllowed):
            conversation.reply(p.ticket, actor=actor, body="Soy yo")
    for actor in (p.customer, p.stranger, p.outsider, p.guest(Purpose.CONTRIBUTE)):
        for send in (conversation.send_follow_up, conversation.add_internal_note):
            with pytest.raises(NotAllowed):
                send(p.ticket, actor=actor, body="Soy del equipo")
        with pytest.raises(NotAllowed):
            conversation.send_solution(p.ticket, actor=actor, done="Listo")


def test_agent_on_own_ticket_writes_as_requester_or_staff(play):
    p = play(S0)
    p.ticket.__class__.objects.filter(pk=p.ticket.pk).update(requester=p.agent)
    p.refresh()
    conversation.reply(p.ticket, actor=p.agent, body="Me pasa a mí.")
    assert p.latest_message.from_requester
    p.follow_up("Me respondo.")
    assert not p.latest_message.from_requester


# --- What a customer may read -----------------------------------------------------------------------------------


def test_note_is_never_in_the_public_conversation(play):
    p = prepare(play(S2), note=SECRET)
    note = conversation.add_internal_note(p.ticket, actor=p.agent, body=SECRET)
    Attachment.objects.create(
        ticket=p.ticket,
        message=note,
        name="kiwi.png",
        kind="image",
        content_type="image/png",
        size=1,
        sha256="0" * 64,
    )
    p.follow_up("Seguimos.")
    shown = conversation.public_conversation(p.ticket)
    assert {message.kind for message in shown["messages"]} == {"report", "follow_up"}
    assert all(event.is_public for event in shown["events"])
    assert not {event.message_id for event in shown["events"]} & {note.pk}
    assert SECRET not in str([message.body for message in shown["messages"]])
    assert Attachment.objects.public().count() == 0
    assert Message.objects.filter(body=SECRET).count() == 2
    assert Message.objects.public().filter(body=SECRET).count() == 0


def test_action_with_only_a_note_is_not_public(play):
    p = play(S0)
    p.do(p.agent, "clasificar", severity="low", department=p.ticket.department, assignee=p.agent)
    seen, updated = p.ticket.public_version, p.ticket.updated_at
    p.later(hours=1).do(p.agent, "pedir_a_otro_equipo", equipo="desarrollo", note=SECRET)
    assert (p.ticket.stage, p.ticket.public_version, p.ticket.updated_at) == ("otro_equipo", seen, updated)


# --- Mentions ---------------------------------------------------------------------------------------------------


@pytest.mark.demand("S0.20")
def test_mention_tells_only_staff_who_see_the_ticket(play):
    p = play(S2)
    people = (p.colleague, p.supervisor, p.outsider, p.customer, p.agent, p.colleague)
    body = "¿Lo ven? " + ", ".join(f"@{person.email.upper()}" for person in people)
    conversation.add_internal_note(p.ticket, actor=p.agent, body=body)
    assert {mention.user for mention in Mention.objects.all()} == {p.colleague, p.supervisor}
    assert {to for to, _template in p.told} == {f"user:{p.colleague.email}", f"user:{p.supervisor.email}"}


def test_partial_or_unknown_address_is_no_mention(play):
    p = play(S2)
    conversation.add_internal_note(
        p.ticket, actor=p.agent, body=f"Desde x@{p.colleague.email}, ver @nadie@x.es."
    )
    assert Mention.objects.count() == 0


# --- Text and files ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kept"),
    [("Hola\x00 \u202eaj\u202c", "Hola aj"), ("a\r\nb\rc", "a\nb\nc"), ("😀 ñ é", "😀 ñ é"), ("  x  ", "x")],
)
def test_message_is_cleaned(play, body, kept):
    p = play(S0).reply(body)
    assert p.latest_message.body == kept


@pytest.mark.parametrize("body", ["", " \n", "\x00", "x" * 1_000_000])
def test_empty_or_too_long_message_changes_nothing(play, body):
    p = play(S0)
    before = p.ticket.version
    with pytest.raises(InvalidData) as refused:
        p.reply(body)
    assert refused.value.errors.keys() == {"body"}
    assert (p.refresh().version, p.ticket.messages.count()) == (before, 1)


@pytest.mark.demand("S2.6", "S3.18")
def test_reply_attaches_only_the_authors_files(play):
    p = play(S0)

    def waiting(key, uploader):
        return Attachment.objects.create(
            draft_key=key, uploader=uploader, name="a.png", kind="image", content_type="image/png", size=1,
            sha256="0" * 64, file="attachments/a",
        )  # fmt: skip

    mine, foreign = waiting("k1", p.customer), waiting("k1", p.stranger)
    conversation.reply(p.ticket, actor=p.customer, body="Adjunto", draft_key="k1")
    mine.refresh_from_db()
    foreign.refresh_from_db()
    assert (mine.ticket, mine.message, mine.draft_key) == (p.ticket, p.latest_message, "")
    assert (foreign.ticket, foreign.draft_key) == (None, "k1")


def test_reply_with_too_many_files_is_refused(play):
    p = play(S0)
    for _each in range(6):
        Attachment.objects.create(
            draft_key="k", uploader=p.customer, name="a.png", kind="image", content_type="image/png", size=1,
            sha256="0" * 64, file="attachments/a",
        )  # fmt: skip
    with pytest.raises(InvalidData) as refused:
        conversation.reply(p.ticket, actor=p.customer, body="Muchas", draft_key="k")
    assert refused.value.errors.keys() == {"files"}
    assert p.ticket.messages.count() == 1


# --- Drafts -----------------------------------------------------------------------------------------------------


def test_draft_per_person_and_mode_lasts_until_sent(play):
    p = play(S0)
    before = p.ticket.version
    conversation.save_draft(p.ticket, actor=p.agent, mode=MessageKind.FOLLOW_UP, body="Casi…")
    conversation.save_draft(p.ticket, actor=p.agent, mode=MessageKind.FOLLOW_UP, body="Casi listo")
    conversation.save_draft(p.ticket, actor=p.agent, mode=MessageKind.NOTE, body="Ojo")
    conversation.save_draft(p.ticket, actor=p.agent, mode=MessageKind.SOLUTION, body="", steps="Reinicia")
    conversation.save_draft(p.ticket, actor=p.colleague, mode=MessageKind.FOLLOW_UP, body="Otro")
    assert (p.refresh().version, Draft.objects.count()) == (before, 4)
    p.follow_up("Listo")
    left = set(Draft.objects.values_list("user__email", "mode", "body", "steps"))
    assert left == {
        (p.agent.email, "note", "Ojo", ""),
        (p.agent.email, "solution", "", "Reinicia"),
        (p.colleague.email, "follow_up", "Otro", ""),
    }
    conversation.save_draft(p.ticket, actor=p.agent, mode=MessageKind.NOTE, body=" ")
    assert not Draft.objects.filter(user=p.agent, mode="note").exists()
    for actor in (p.customer, p.outsider):
        with pytest.raises(NotAllowed):
            conversation.save_draft(p.ticket, actor=actor, mode=MessageKind.NOTE, body="x")


def test_action_that_sends_solution_deletes_only_that_draft(play):
    p = prepare(play(S2))
    for mode in (MessageKind.SOLUTION, MessageKind.NOTE, MessageKind.FOLLOW_UP):
        conversation.save_draft(p.ticket, actor=p.agent, mode=mode, body="A medias")
    p.do(p.agent, "pedir_aprobacion", solution_done="Listo")
    assert set(Draft.objects.values_list("mode", flat=True)) == {"note", "follow_up"}


WRITTEN = {
    "report": lambda p: p.ticket,
    "reply": lambda p: p.reply(),
    "follow_up": lambda p: p.follow_up(),
    "solution": lambda p: p.do(p.agent, "pedir_aprobacion", solution_done="Listo"),
    "note": lambda p: conversation.add_internal_note(p.ticket, actor=p.agent, body="Ojo"),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_last_message_times_depend_on_the_message_kind(play, kind):
    p = play(S2)
    filed = p.ticket.created_at
    if kind != "report":
        prepare(p)
        p.later(hours=1)
    WRITTEN[kind](p)
    p.refresh()
    message = p.latest_message
    theirs, ours = kind in ("report", "reply"), kind in ("follow_up", "solution")
    assert (message.kind, message.from_requester, message.channel) == (kind, theirs, "web")
    assert p.ticket.last_requester_message_at == (message.created_at if theirs else filed)
    assert p.ticket.last_staff_message_at == (message.created_at if ours else None)


def test_refused_stale_message_keeps_the_draft(play):
    p = play(S0)
    seen = p.ticket.version
    conversation.save_draft(p.ticket, actor=p.agent, mode=MessageKind.FOLLOW_UP, body="Ya casi")
    p.reply("¿Y?")
    with pytest.raises(StaleTicket):
        conversation.send_follow_up(p.ticket, actor=p.agent, body="Ya casi", version=seen)
    assert Draft.objects.get().body == "Ya casi"


def test_message_costs_few_queries(play, django_assert_max_num_queries):
    p = prepare(play(S2))
    with django_assert_max_num_queries(18):
        conversation.send_follow_up(p.ticket, actor=p.agent, body="Hola", key="k")
    with django_assert_max_num_queries(16):
        conversation.reply(p.ticket, actor=p.customer, body="Hola", key="k2")
