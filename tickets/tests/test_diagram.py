"""The map of a process: what is drawn and where, for the five processes of the library."""

import json
import sys
from itertools import combinations
from pathlib import Path

import pytest

from tickets.definitions import diagram
from tickets.definitions.loading import definition_of, library
from tickets.models import ProcessVersion
from tickets.tests.factories import make_process

GOLDEN = Path(__file__).with_name("golden_diagrams.json")
FILES = library()
MAPS = [(key, audience) for key in FILES for audience in diagram.AUDIENCES]


def layout(key: str, audience: str) -> diagram.Layout:
    found = diagram.layout_from(diagram.draw(definition_of(FILES[key])), audience)
    assert found is not None
    return found


def test_layouts_of_the_library_are_the_stored_ones():
    """To accept a new drawing, look at it, then write the file:

    manage.py shell -c "from tickets.tests.test_diagram import write; write()"
    """
    assert {key: as_stored(key) for key in FILES} == json.loads(GOLDEN.read_text("utf-8"))


@pytest.mark.parametrize(("key", "audience"), MAPS)
def test_no_box_and_no_label_lies_over_another(key, audience):
    drawn = layout(key, audience)
    boxes = [node.box for node in drawn.nodes]
    labels = [edge.label for edge in drawn.edges if edge.label]
    assert not [pair for pair in combinations([*boxes, *labels], 2) if pair[0].overlaps(pair[1])]
    paper = diagram.Box(0, 0, drawn.width, drawn.height)
    assert all(paper.overlaps(box) and box.x >= 0 and box.y >= 0 for box in [*boxes, *labels])
    assert all(box.x + box.width <= drawn.width for box in [*boxes, *labels])
    assert all(box.y + box.height <= drawn.height for box in [*boxes, *labels])


@pytest.mark.parametrize("key", FILES)
def test_main_road_goes_from_left_to_right(key):
    at = {node.key: node.box.x for node in layout(key, "staff").nodes}
    road = [at[stage.key] for stage in definition_of(FILES[key]).main_road]
    assert road == sorted(set(road))


@pytest.mark.parametrize("key", FILES)
def test_every_way_from_one_stage_to_another_is_a_line_or_a_chip(key):
    definition = definition_of(FILES[key])
    drawn = layout(key, "staff")
    shown = {(edge.source, action, edge.target) for edge in drawn.edges for action in edge.actions}
    chips = {(node.key, end) for node in drawn.nodes for end in node.chips}
    for action in definition.actions:
        for source in action.sources:
            if not action.to or action.to == source or definition.stage(source).kind in diagram.BAD_ENDS:
                continue
            if definition.stage(action.to).kind in diagram.BAD_ENDS:
                assert (source, action.to) in chips
            else:
                assert (source, action.key, action.to) in shown


@pytest.mark.parametrize("key", FILES)
def test_every_line_has_its_name_on_it_or_beside_it(key):
    for edge in layout(key, "staff").edges:
        name = edge.label
        assert name is not None
        around = diagram.Box(name.x, name.y - 10, name.width, name.height + 20)
        assert any(around.overlaps(line) for line in diagram._lines(edge))


def test_ends_that_reject_or_cancel_are_chips_of_the_stage_that_offers_them():
    nodes = {node.key: node.chips for node in layout("soporte-con-aprobacion", "staff").nodes}
    assert nodes["recibido"] == ("prueba",)
    assert nodes["procesar"] == ("sin_solucion", "equivocado", "cancelado", "prueba")
    assert "prueba" not in nodes


def test_customers_see_one_box_for_stages_of_one_name_and_no_name_of_a_step():
    drawn = layout("incidencia-tecnica", "customer")
    assert {node.key: node.stages for node in drawn.nodes}["diagnostico"] == ("diagnostico", "otro_equipo")
    assert [edge.label for edge in drawn.edges if edge.label] == []


def test_stored_layout_is_read_back_as_it_was():
    drawn = diagram.draw(definition_of(FILES["solicitud-guiada"]))
    stored = json.loads(json.dumps(drawn))
    assert diagram.layout_from(stored, "staff") == diagram.layout_from(drawn, "staff")


def test_publishing_stores_the_map(db):
    version = make_process().current
    assert version is not None
    version.refresh_from_db()
    assert version.diagram == json.loads(json.dumps(diagram.draw(version.definition)))


@pytest.mark.parametrize("stored", [None, {"format": 0}])
def test_version_that_is_older_than_the_map_is_drawn_when_it_is_read(db, stored):
    version = make_process().current
    assert version is not None
    ProcessVersion.objects.filter(pk=version.pk).update(diagram=stored)
    ProcessVersion.objects.forget(version.pk)
    assert ProcessVersion.objects.layout(version.pk, "staff") == layout("soporte-con-aprobacion", "staff")


def test_process_is_published_without_a_map_where_the_library_is_missing(db, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "graphlay", None)
    version = make_process().current
    assert version is not None
    assert version.diagram is None
    assert ProcessVersion.objects.layout(version.pk, "customer") is None
    assert "cannot be drawn" in caplog.text


def as_stored(key: str) -> object:
    return json.loads(json.dumps(diagram.draw(definition_of(FILES[key]))))


def write() -> None:
    GOLDEN.write_text(json.dumps({key: as_stored(key) for key in FILES}, indent=1) + "\n", "utf-8")
