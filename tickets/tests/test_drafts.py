"""Keeping what was typed: a request that read a draft earlier undoes nothing that others wrote meanwhile."""

from typing import Any

import pytest

from accounts.tests.factories import make_agent
from tickets import drafts
from tickets.models import FormDraft, ReportDraft

pytestmark = pytest.mark.django_db


def written(**values: str) -> dict[str, list[str]]:
    return {name: [value] for name, value in values.items()}


def read_early() -> ReportDraft:
    """Store a draft and return it as a request reads it at its beginning."""
    new = ReportDraft(code="a", visitor="v")
    drafts.keep_report(new, topic="pago", values=written(title="La"), page="uno", typed_at=1)
    return ReportDraft.objects.get()


@pytest.mark.parametrize("act", ["upload", "contact", "exchange"])
def test_request_that_read_early_keeps_later_text(act: str):
    early, later = read_early(), ReportDraft.objects.get()
    drafts.keep_report(later, topic="pago", values=written(title="La puerta"), page="uno", typed_at=2)

    match act:
        case "upload":
            drafts.begin_report(early, topic="otro")
        case "contact":
            drafts.keep_contact(early, contact=written(email="ana@example.com"))
        case "exchange":
            drafts.take_overwritten(early)

    row = ReportDraft.objects.get()
    assert (row.topic, row.values) == ("pago", written(title="La puerta"))


def test_nothing_changes_a_filed_report():
    early = read_early()
    drafts.mark_filed(early, folio="MA-1", email="ana@example.com")

    drafts.keep_report(early, topic="pago", values=written(title="Tarde"), page="uno", typed_at=9)
    drafts.keep_contact(early, contact=written(email="otra@example.com"))
    drafts.discard_report(early)

    row = ReportDraft.objects.get()
    assert (row.folio, row.values, row.contact) == ("MA-1", {}, written(email="ana@example.com"))
    assert row.discarded_at is None


def test_five_pages_at_once_lose_no_text():
    read_early()
    for page in ("dos", "tres", "cuatro", "cinco"):
        drafts.keep_report(
            ReportDraft.objects.get(), topic="pago", values=written(title=page), page=page, seen="nada"
        )

    row = ReportDraft.objects.get()
    shown = {row.values["title"][0]} | {values["title"][0] for _page, values in row.overwritten}
    assert shown == {"La", "dos", "tres", "cuatro", "cinco"}
    seen = set()
    for _press in range(5):
        seen.add(drafts.take_overwritten(ReportDraft.objects.get()).values["title"][0])
    assert seen == shown


def test_writing_on_discarded_report_brings_it_back():
    draft = read_early()
    drafts.discard_report(draft)
    assert not drafts.unfinished_reports(visitor="v", user=None).exists()

    drafts.keep_report(draft, topic="pago", values=written(title="Sí"), page="uno", typed_at=5)

    assert drafts.unfinished_reports(visitor="v", user=None).exists()


@pytest.mark.parametrize("values", [{f"campo-{n}": ["x"] for n in range(200)}, {"note": ["x" * 300_000]}])
def test_too_large_form_leaves_what_was_stored(values: Any):
    agent = make_agent()
    drafts.keep_form(agent, "nuevo-1", values=written(note="Algo"))

    assert not drafts.keep_form(agent, "nuevo-1", values=values)

    assert drafts.kept_form(agent, "nuevo-1") == written(note="Algo")


@pytest.mark.parametrize("values", [{}, {"note": [" "]}])
def test_form_without_text_keeps_nothing(values: Any):
    agent = make_agent()
    drafts.keep_form(agent, "nuevo-1", values=written(note="Algo"))

    drafts.keep_form(agent, "nuevo-1", values=values)

    assert drafts.kept_form(agent, "nuevo-1") == {}


def test_late_save_of_a_sent_form_is_dropped_and_the_next_one_kept():
    agent = make_agent()
    drafts.keep_form(agent, "nuevo-1", values=written(note="Algo"), key="k1")
    drafts.forget_form(agent, "nuevo-1", key="k1")

    drafts.keep_form(agent, "nuevo-1", values=written(note="Algo"), key="k1")
    assert drafts.kept_form(agent, "nuevo-1") == {}
    drafts.keep_form(agent, "nuevo-1", values=written(note="Otro"), key="k2")

    assert drafts.kept_form(agent, "nuevo-1") == written(note="Otro")
    assert FormDraft.objects.count() == 1


def test_later_saves_of_a_page_are_not_overwritten_unnoticed():
    """The second page knows the first version of the first one, not the second."""
    read_early()
    seen = ReportDraft.objects.get().written
    drafts.keep_report(
        ReportDraft.objects.get(), topic="pago", values=written(title="La puerta"), page="uno", typed_at=2
    )
    row = drafts.keep_report(
        ReportDraft.objects.get(), topic="pago", values=written(title="Otra"), page="dos", seen=seen
    )

    assert row.overwritten == [["uno", written(title="La puerta")]]


def test_page_that_saw_the_last_version_keeps_none():
    read_early()
    draft = ReportDraft.objects.get()
    row = drafts.keep_report(
        draft, topic="pago", values=written(title="Otra"), page="dos", seen=draft.written
    )

    assert row.overwritten == []


def test_page_that_adds_to_what_it_did_not_see_keeps_no_other_version():
    read_early()
    drafts.keep_answers(ReportDraft.objects.get(), topic="pago", answers={"files": []}, page="chat-1")
    row = drafts.keep_report(
        ReportDraft.objects.get(), topic="pago", values=written(title="La", description="Rota"), page="dos"
    )

    assert row.overwritten == []


def test_answers_join_what_others_wrote_meanwhile():
    early = read_early()
    drafts.keep_report(
        ReportDraft.objects.get(), topic="pago", values=written(title="La puerta"), page="uno", typed_at=5
    )
    drafts.keep_answers(early, topic="pago", answers={"description": ["Rota"]}, page="chat-1")
    row = ReportDraft.objects.get()
    assert (row.values, row.page) == (written(title="La puerta", description="Rota"), "chat-1")

    drafts.keep_answers(early, topic="pago", answers={"title": None}, page="chat-1")
    assert ReportDraft.objects.get().values == written(description="Rota")
