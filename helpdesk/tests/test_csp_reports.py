"""Reports of the content security policy: stored for administrators, bounded for everybody else."""

import json
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_administrator
from helpdesk import csp_reports
from helpdesk.models import CspReport
from helpdesk.tasks import clean_up

pytestmark = pytest.mark.django_db

INLINE = {
    "document-uri": "http://testserver/tickets/MA-10001/?q=secreto",
    "effective-directive": "script-src-elem",
    "violated-directive": "script-src-elem",
    "blocked-uri": "inline",
}
OUTSIDE = {
    "documentURL": "http://testserver/enlace/s3cr3t-of-a-guest/",
    "effectiveDirective": "img-src",
    "blockedURL": "https://malo.example:8443/espia.png?quien=ana",
}


def report(client: Client, body: object, kind: str = "application/csp-report", **more):
    data = body if isinstance(body, (bytes, str)) else json.dumps(body)
    return client.post("/informes/csp/", data, content_type=kind, **more)


def rows() -> list[tuple[str, str, str, int]]:
    return list(CspReport.objects.order_by("pk").values_list("directive", "blocked", "page", "times"))


def test_both_formats_are_stored_without_what_people_wrote(client):
    """Equal violations are counted in one row. No row has a folio, a search or the link of a guest."""
    for _ in range(2):
        assert report(client, {"csp-report": INLINE}).status_code == 204
    several = [
        {"type": "csp-violation", "body": OUTSIDE},
        {"type": "csp-violation", "body": {**OUTSIDE, "blockedURL": "eval"}},
    ]
    assert report(client, several, "application/reports+json").status_code == 204

    assert sorted(rows()) == [
        ("img-src", "eval", "portal:guest_link", 1),
        ("img-src", "https://malo.example", "portal:guest_link", 1),
        ("script-src-elem", "inline", "portal:ticket", 2),
    ]


def test_browser_needs_no_token(settings):
    assert report(Client(enforce_csrf_checks=True), {"csp-report": INLINE}).status_code == 204
    assert len(rows()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"document-uri": "https://otro.example/"},
        {"document-uri": "http://testserver/no-existe/"},
        {"document-uri": "http://[malo/"},
        {"document-uri": ""},
        {"effective-directive": "made-up-src"},
        {"effective-directive": ["img-src"]},
        {"blocked-uri": "moz-extension://0123/x.js"},
        {"blocked-uri": "chrome-extension"},
        {"blocked-uri": "https://"},
        {"blocked-uri": "https://[malo"},
        {"blocked-uri": f"https://{'a' * 300}.example/"},
        {"blocked-uri": "https://malo.example\x00"},
        {"blocked-uri": "https://\ud800.example"},
        {"blocked-uri": "\u202ehttps://malo.example"},
        {"blocked-uri": 7},
    ],
)
def test_what_is_no_violation_of_ours_is_ignored(client, change):
    assert report(client, {"csp-report": {**INLINE, **change}}).status_code == 204
    assert rows() == []


HOSTILE = [
    *(
        "",
        "null",
        "7",
        "[]",
        "{}",
        "[1]",
        "[[]]",
        '{"csp-report": 1}',
        '[{"body": []}]',
        '{"csp-report": {"a": NaN}}',
    ),
    *(b"\xff\xfe", "[" * 15_000, "9" * 9_000),
]


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_body_harms_nothing(client, body):
    assert report(client, body).status_code == 204
    assert rows() == []


def test_large_report_is_not_read(client):
    body = json.dumps({"csp-report": INLINE} | {"padding": "x" * csp_reports.MOST_BYTES})

    assert report(client, body).status_code == 204
    assert rows() == []


def test_get_is_refused(client):
    assert client.get("/informes/csp/").status_code == 405


def one(number: int) -> csp_reports.Violation:
    return csp_reports.Violation("img-src", f"https://n{number}.example", "portal:home")


def test_strangers_do_not_grow_the_table(django_assert_num_queries):
    """What browsers report again and again stays; what was reported once makes room."""
    for _ in range(3):
        csp_reports.count([csp_reports.Violation("script-src-elem", "inline", "portal:home")])
    for number in range(0, csp_reports.MOST_ROWS + 20, 10):
        csp_reports.count([one(number + more) for more in range(10)])

    assert CspReport.objects.count() == csp_reports.MOST_ROWS
    assert CspReport.objects.get(blocked="inline").times == 3
    for many in (1, 10):
        with django_assert_num_queries(6):
            csp_reports.count([one(-number - 100 * many) for number in range(many)])
    assert CspReport.objects.filter(blocked="https://n-1009.example").exists()
    assert CspReport.objects.count() == csp_reports.MOST_ROWS


def test_one_visitor_and_all_together_are_limited(client, monkeypatch):
    monkeypatch.setattr(csp_reports, "PER_MINUTE_OF_ALL", csp_reports.PER_MINUTE + 5)
    for _ in range(csp_reports.PER_MINUTE + 10):
        assert report(client, {"csp-report": INLINE}).status_code == 204
    assert rows()[0][3] == csp_reports.PER_MINUTE
    for number in range(10):
        report(client, {"csp-report": INLINE}, REMOTE_ADDR=f"198.51.100.{number}")
    assert rows()[0][3] == csp_reports.PER_MINUTE + 5
    cache.clear()


def test_several_in_one_request_are_bounded(client):
    many = [{"body": {**OUTSIDE, "blockedURL": f"https://n{number}.example/"}} for number in range(100)]

    report(client, many, "application/reports+json")

    assert len(rows()) == csp_reports.MOST_AT_ONCE


def test_administrators_read_and_delete_them(client):
    csp_reports.count([csp_reports.Violation("img-src", "https://malo.example", "portal:home")])
    client.force_login(make_administrator())
    page = reverse("admin:helpdesk_cspreport_changelist")

    shown = client.get(page).content.decode()
    client.post(
        page, {"action": "delete_selected", "_selected_action": [CspReport.objects.get().pk], "post": "yes"}
    )

    assert "https://malo.example" in shown
    assert "informes de la política de contenido" in shown
    assert rows() == []


def test_old_reports_are_deleted():
    csp_reports.count([one(1)])
    csp_reports.count([one(2)])
    CspReport.objects.filter(blocked="https://n1.example").update(
        last_seen=timezone.now() - timedelta(days=91)
    )

    clean_up()

    assert [row[1] for row in rows()] == ["https://n2.example"]
