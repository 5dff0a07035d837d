"""Draws the map of a process with the times of its stages and the counts of its steps: shapes and texts with places.

`tickets.definitions.diagram` decides where everything stands; `web.process_map` draws the map without numbers.
"""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets.definitions import diagram
from tickets.models import ProcessVersion

from .process_times import ProcessTimes
from .report import percent, whole

LOOK = diagram.LOOKS["supervisor"]
WEIGHTS = 4


def drawing_of(times: ProcessTimes) -> dict[str, Any] | None:
    """Return the nodes in the order of the process, each with the steps that leave it, so that the keyboard follows the
    process. None where the map could not be drawn: the lists say the same."""
    version = times.process.current_id
    layout = ProcessVersion.objects.layout(version, "supervisor") if version else None
    if layout is None:
        return None
    most = max((times.count_between(edge.source, edge.target) for edge in layout.edges), default=0)
    return {
        "width": layout.width,
        "height": layout.height,
        "nodes": [
            {
                **_node(times, node),
                "edges": [_edge(times, edge, most) for edge in layout.edges if edge.source == node.key],
            }
            for node in layout.nodes
        ],
    }


def _node(times: ProcessTimes, node: diagram.Node) -> dict[str, Any]:
    box, left = node.box, node.box.x + diagram.PADDING
    top = box.y + diagram.PADDING + 13
    base = top + (node.name_lines - 1) * diagram.NAME_LINE
    stage = times.stages.get(node.key)
    names = diagram.lines_of(times.name_of(node.key), LOOK.name_chars, diagram.NAME_LINES)
    shown: dict[str, Any] = {
        "key": node.key,
        "box": box,
        "left": left,
        "right": box.x + box.width - diagram.PADDING,
        "top": top,
        "meter_x": box.x + box.width - 64,
        "meter_y": top - 9,
        "base": base,
        "middle": left + (box.width - 2 * diagram.PADDING) / 2,
        "lines": [{"y": top + number * diagram.NAME_LINE, "text": text} for number, text in enumerate(names)],
        "stage": stage,
        "chips": [_chip(times, node, key, number, base) for number, key in enumerate(node.chips)],
    }
    if stage:
        owner = diagram.lines_of(stage.owner, 19, 1)[0]
        return shown | {"url": stage.url, "described": stage.described, "level": stage.level, "owner": owner}
    count = times.count_into(node.key)
    return shown | {
        "level": 0,
        "count": whole(count),
        "share": percent(count / times.ended) if times.ended else "",
        "url": times.list_of("moves", parte=f"::{node.key}"),
        "described": _times(times.name_of(node.key), count),
    }


def _chip(times: ProcessTimes, node: diagram.Node, end: str, number: int, base: float) -> dict[str, Any]:
    """Return the end that rejects or cancels, which stands in the box of the stage that offers it."""
    count, name = times.count_between(node.key, end), times.name_of(end)
    return {
        "y": base + 88 + number * diagram.CHIP_LINE,
        "text": diagram.lines_of(name, diagram.CHIP_CHARS, 1)[0],
        "count": whole(count),
        "described": _times(name, count),
        "url": times.list_of("moves", parte=f"{node.key}::{end}") if count else "",
    }


def _edge(times: ProcessTimes, edge: diagram.Edge, most: int) -> dict[str, Any]:
    count = times.count_between(edge.source, edge.target)
    share = percent(times.share_between(edge.source, edge.target), digits=0)
    places = {"source": times.name_of(edge.source), "target": times.name_of(edge.target)}
    described = _times(_("De %(source)s a %(target)s") % places, count)
    label = None
    if edge.label and count:
        label = {"x": edge.label.x + edge.label.width / 2, "y": edge.label.y + 13}
    return {
        "points": " ".join(f"{x},{y}" for x, y in edge.points),
        "goes_back": edge.goes_back,
        "weight": -(-WEIGHTS * count // most) if most else 0,
        "label": label,
        "text": f"{whole(count)} · {share}" if edge.goes_back and count else whole(count),
        "described": f"{described}, {share}" if count else described,
        "url": times.list_of("moves", parte=f"{edge.source}::{edge.target}") if count else "",
    }


def _times(name: str, count: int) -> str:
    return ngettext("%(name)s: %(n)s vez", "%(name)s: %(n)s veces", count) % {"name": name, "n": whole(count)}
