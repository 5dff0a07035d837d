"""Folios as people type and paste them."""

import pytest

from tickets import folios
from tickets.models import FolioCounter

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def older_prefix():
    """The desk has filed tickets under `TK` before its prefix became `MA`."""
    FolioCounter.objects.create(name="TK", last=900)


@pytest.mark.parametrize(
    "text",
    [
        "MA-10119",
        "#MA-10119",
        "ma-10119",
        "ma10119",
        " MA 10119 ",
        "MA - 10119",
        "MA#10119",
        "MA–10119",
        "MA—10119",
        "MA−10119",
        "MA\u201110119",
        "MA\u00ad-\u200b10119",
        "MA_10119",
        "MA-0010119",
        "ＭＡ－１０１１９",
        "MA-١٠١١٩",
        "ticket MA-10119",
        "Re: [MA-10119] No puedo entrar",
        "(MA-10119).",
        "El folio es «MA-10119», gracias",
        "https://desk.example:8000/agentes/tickets/ma-10119/?cola=todos&desde=12",
        "https://desk.example/tickets/MA-10119/#mensaje",
        "https://safe.example/?url=https%3A%2F%2Fdesk.example%2Ftickets%2FMA-10119%2F",
    ],
)
def test_folio_is_found_however_it_is_written(text):
    assert folios.named_in(text) == ["MA-10119"]


@pytest.mark.parametrize("text", ["10119", "#10119", "0010119", "ticket 10119", "n.º 10119", "Número: 10119"])
def test_bare_number_names_the_tickets_of_every_prefix(text):
    assert folios.named_in(text) == ["MA-10119", "TK-10119"]


def test_text_may_name_several_folios():
    assert folios.named_in("MA-10119, tk 12 y ma-10120; MA-10119") == ["MA-10119", "TK-12", "MA-10120"]
    assert folios.named_in("XY-7") == ["XY-7"], "a prefix that this desk has not used may still be a folio's"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hola",
        "pago 2024",
        "10119 lucía",
        "2024-10-11",
        "MA10119X",
        "MA-",
        "MA-" + "9" * 20,
        "A" * 400 + " 5",
    ],
)
def test_other_text_names_no_folio(text):
    assert folios.named_in(text) == []


@pytest.mark.parametrize(
    ("given", "folio"),
    [
        ("MA-10119", "MA-10119"),
        ("ma-10119", "MA-10119"),
        ("10119", "MA-10119"),
        ("#ma–0010119", "MA-10119"),
        ("tk-12", "TK-12"),
        ("ticket 10119", "ticket 10119"),
        ("MA-1-2", "MA-1-2"),
        ("nuevo", "nuevo"),
    ],
)
def test_canonical_writes_one_folio_as_it_is_stored(given, folio, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert folios.canonical(given) == folio


def test_prefix_is_written_as_configured(settings):
    settings.DESK_FOLIO_PREFIX = "Mesa2"
    assert folios.named_in("mesa2-7 MESA2 8") == ["Mesa2-7", "Mesa2-8"]
    assert folios.canonical("MESA2-7") == "Mesa2-7"
