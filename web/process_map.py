"""Makes the map of a process in the reader's language: the drawing, and the list that says the same in words.

`tickets.definitions.diagram` decides what each audience may see and where it stands. Here it gets its words.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from tickets.definitions import diagram
from tickets.definitions.definition import Definition, Stage, Who
from tickets.models import ProcessVersion


@dataclass(frozen=True)
class ProcessMap:
    """`stages` are the rows of the list. `drawing` is None where the map could not be drawn: the list is enough."""

    stages: list[dict[str, Any]]
    drawing: dict[str, Any] | None
    is_customers: bool


def process_map(version: int, *, audience: str, here: str = "") -> ProcessMap:
    """Return the map of the process version with this id, for "staff" or "customer"; `here` is the present stage."""
    definition = ProcessVersion.objects.definition(version)
    layout = ProcessVersion.objects.layout(version, audience)
    rows = list(_rows(definition, audience, here))
    drawing = _drawing(definition, layout, audience, rows, here) if layout else None
    return ProcessMap(rows, drawing, audience == "customer")


def _rows(definition: Definition, audience: str, here: str) -> Iterator[dict[str, Any]]:
    """Yield the stages in the order of the file, each with the steps that leave it, then the ends that reject or
    cancel."""
    groups = diagram.grouped(definition, audience)
    steps = diagram.steps_between(definition, audience)
    for key, stages in groups.items():
        yield {
            "key": key,
            "label": str(diagram.name_of(stages[0], audience)),
            "owner": owner_of(definition, stages, audience),
            "is_here": here in {stage.key for stage in stages},
            "steps": [
                {
                    "to": str(diagram.name_of(definition.stage(target), audience)),
                    "by": []
                    if audience == "customer"
                    else list(dict.fromkeys(str(a.label) for a in actions)),
                }
                for (source, target), actions in steps.items()
                if source == key
            ],
            "ends": _end_names(definition, diagram.bad_ends(definition, stages, audience), audience),
        }
    here_name = str(diagram.name_of(definition.stage(here), audience)) if here else ""
    bad = [stage for stage in definition.stages if stage.kind in diagram.BAD_ENDS]
    for name in dict.fromkeys(str(diagram.name_of(stage, audience)) for stage in bad):
        yield {"key": "", "label": name, "is_end": True, "is_here": name == here_name}


def _end_names(definition: Definition, keys: tuple[str, ...], audience: str) -> list[str]:
    return [str(diagram.name_of(definition.stage(key), audience)) for key in keys]


def _drawing(
    definition: Definition, layout: diagram.Layout, audience: str, rows: list[dict[str, Any]], here: str
) -> dict[str, Any]:
    """Return the shapes and lines of text that the template writes into the SVG, with their places."""
    row_of = {row["key"]: row for row in rows if row["key"]}
    ended = next((row["label"] for row in rows if row.get("is_end") and row["is_here"]), "")
    nodes = []
    for node in layout.nodes:
        row, box = row_of[node.key], node.box
        left, top = box.x + diagram.PADDING, box.y + diagram.PADDING + 13
        owner_y = top + node.name_lines * diagram.NAME_LINE
        chips = [
            {
                "x": left,
                "y": owner_y + 8 + number * diagram.CHIP_LINE,
                "width": box.width - 2 * diagram.PADDING,
                "text_x": left + 10,
                "text_y": owner_y + 23 + number * diagram.CHIP_LINE,
                "text": diagram.lines_of(name, diagram.CHIP_CHARS, 1)[0],
                "name": name,
                "is_here": name == ended,
            }
            for number, name in enumerate(_end_names(definition, node.chips, audience))
        ]
        names = diagram.lines_of(row["label"], diagram.LOOKS[audience].name_chars, diagram.NAME_LINES)
        nodes.append(
            {
                "box": box,
                "is_here": row["is_here"],
                "here": {"x": left, "y": box.y - 6},
                "title": row["label"],
                "lines": [
                    {"x": left, "y": top + number * diagram.NAME_LINE, "text": text}
                    for number, text in enumerate(names)
                ],
                "owner": {"x": left, "y": owner_y, "text": diagram.lines_of(row["owner"], 22, 1)[0]},
                "chips": chips,
            }
        )
    return {
        "width": layout.width,
        "height": layout.height,
        "nodes": nodes,
        "edges": [_edge(definition, edge) for edge in layout.edges],
    }


def _edge(definition: Definition, edge: diagram.Edge) -> dict[str, Any]:
    action = definition.action(edge.actions[0])
    label = None
    if edge.label and action:
        label = {
            "x": edge.label.x + edge.label.width / 2,
            "y": edge.label.y + 11,
            "text": diagram.label_of(str(action.label), len(edge.actions)),
        }
    return {
        "points": " ".join(f"{x},{y}" for x, y in edge.points),
        "goes_back": edge.goes_back,
        "label": label,
        "names": ", ".join(str(action.label) for key in edge.actions if (action := definition.action(key))),
    }


def owner_of(definition: Definition, stages: tuple[Stage, ...], audience: str) -> str:
    """Say whose turn it is. Customers read only whether it is theirs."""
    if all(stage.is_end for stage in stages):
        return ""
    if audience == "customer":
        return _("Tú") if all(stage.owner.kind == "requester" for stage in stages) else _("Mesa de ayuda")
    return _who(definition, stages[0].owner)


def _who(definition: Definition, who: Who) -> str:
    """Name a party of a process file for staff: by its role, never by a person's name."""
    needs = {need.key: str(need.label) for need in (*definition.departments, *definition.groups)}
    field = definition.field(who.name)
    action = definition.action(who.name)
    match who.kind:
        case "requester":
            return _("Solicitante")
        case "assignee":
            return _("Responsable")
        case "role":
            return _("Supervisión") if who.name == "supervisor" else _("Agentes")
        case "managers":
            return _("Encargados del departamento")
        case "department" | "group" if who.name:
            return needs.get(who.name, who.name)
        case "department":
            return _("Departamento")
        case "department_of" if field:
            return str(field.label)
        case "actor_of" if action:
            return _("Quien hizo «%(action)s»") % {"action": action.label}
        case "user":
            return _("Una persona")
    return _("Equipo")
