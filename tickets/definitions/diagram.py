"""The map of a process: where its stages, its steps and their names stand in a drawing, as frozen values.

There are three maps of a definition. Staff see every stage. Supervisors see the same with numbers, for which boxes are
larger and steps have a count in place of their name. Customers see one box for each customer label, and no step has a
name. A layout holds keys and numbers only, so it can be stored as JSON. It keeps room for the longer of the
Spanish and the English texts: one drawing then serves both languages, and a stage stands in the same place in both.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from textwrap import wrap
from typing import Any

from ..enums import StageKind
from .definition import Action, Definition, Stage, Text

log = logging.getLogger(__name__)

FORMAT = 2
"""Raised when a stored layout must be drawn again."""
AUDIENCES = ("staff", "customer", "supervisor")

NAME_LINES = 3
CHIP_CHARS = 18
LABEL_CHARS, CHAR_WIDTH, LABEL_HEIGHT = 22, 6.4, 15
PADDING, NAME_LINE, OWNER_LINE, CHIP_LINE = 12, 18, 20, 26
MARGIN = 16
BAD_ENDS = (StageKind.REJECTED, StageKind.CANCELLED)


@dataclass(frozen=True)
class Look:
    """Sets the maps apart: the size of boxes and the room between their columns. `figures` and `end_figures` are
    the heights of what stands below a stage's name in place of its owner."""

    width: float = 160
    name_chars: int = 19
    gap: float = 152
    figures: float = OWNER_LINE
    end_figures: float = OWNER_LINE


LOOKS = {
    "staff": Look(),
    "customer": Look(gap=46),
    "supervisor": Look(width=216, name_chars=16, gap=100, figures=82, end_figures=32),
}
COUNT_LABEL = {"width": 84.0, "height": 17.0}
"""The room for a count on a line of the supervisors' map: «9.999 · 100 %»."""


@dataclass(frozen=True)
class Box:
    """A rectangle, named by its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: "Box") -> bool:
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )


@dataclass(frozen=True)
class Node:
    """The box of the stage `key`, and the keys of the ends `chips` that reject or cancel in it. For customers it also
    stands for the `stages` that have the same customer label."""

    key: str
    box: Box
    name_lines: int
    stages: tuple[str, ...]
    chips: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edge:
    """The line from the stage `source` to `target`, for all `actions` that lead there. `label` has their names' place;
    customers' maps have none."""

    source: str
    target: str
    actions: tuple[str, ...]
    points: tuple[tuple[float, float], ...]
    goes_back: bool = False
    label: Box | None = None


@dataclass(frozen=True)
class Layout:
    width: float
    height: float
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Layout":
        """Return the layout that `as_json` stored."""
        nodes = (
            Node(
                node["key"],
                Box(**node["box"]),
                node["name_lines"],
                tuple(node["stages"]),
                tuple(node["chips"]),
            )
            for node in data["nodes"]
        )
        edges = (
            Edge(
                edge["source"],
                edge["target"],
                tuple(edge["actions"]),
                tuple((x, y) for x, y in edge["points"]),
                edge["goes_back"],
                Box(**edge["label"]) if edge["label"] else None,
            )
            for edge in data["edges"]
        )
        return cls(data["width"], data["height"], tuple(nodes), tuple(edges))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def draw(definition: Definition) -> dict[str, Any] | None:
    """Return the layouts of both maps as JSON. None if they cannot be drawn: pages then show the list alone."""
    try:
        drawn = {audience: _layout(definition, audience).as_json() for audience in AUDIENCES}
    except BaseException as error:  # a panic of the library is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit)):
            raise
        log.warning("the map of process %s cannot be drawn", definition.key, exc_info=True)
        return None
    return {"format": FORMAT, **drawn}


def current(stored: dict[str, Any] | None, definition: Definition) -> dict[str, Any] | None:
    """Return `stored` if it is in the present format, else a new drawing of `definition`."""
    return stored if stored and stored.get("format") == FORMAT else draw(definition)


def layout_from(drawn: dict[str, Any] | None, audience: str) -> Layout | None:
    """Return the layout for `audience` out of what `draw` returned, None if it could not draw."""
    return Layout.from_json(drawn[audience]) if drawn else None


def name_of(stage: Stage, audience: str) -> Text:
    return stage.public_label or stage.label if audience == "customer" else stage.label


def lines_of(text: str, chars: int, most: int) -> list[str]:
    """Break `text` into at most `most` lines of about `chars` characters. The last ends in «…» if there is more."""
    return wrap(text, chars, max_lines=most, placeholder="…", break_long_words=True) or [""]


def grouped(definition: Definition, audience: str) -> dict[str, tuple[Stage, ...]]:
    """Return the stages that become boxes by the key of the first one in each box. Ends that reject or cancel become
    none."""
    groups: dict[str, list[Stage]] = {}
    for stage in definition.stages:
        if stage.kind not in BAD_ENDS:
            name = stage.key if audience != "customer" else name_of(stage, audience).es
            groups.setdefault(name, []).append(stage)
    return {stages[0].key: tuple(stages) for stages in groups.values()}


def steps_between(definition: Definition, audience: str) -> dict[tuple[str, str], tuple[Action, ...]]:
    """Return the actions that lead from one box to another, in the order of the file."""
    home = {stage.key: key for key, stages in grouped(definition, audience).items() for stage in stages}
    steps: dict[tuple[str, str], list[Action]] = {}
    for action in definition.actions:
        target = home.get(action.to)
        for source in dict.fromkeys(home.get(key) for key in action.sources):
            if source and target and source != target:
                steps.setdefault((source, target), []).append(action)
    return {pair: tuple(actions) for pair, actions in steps.items()}


def bad_ends(definition: Definition, stages: Iterable[Stage], audience: str) -> tuple[str, ...]:
    """Return the keys of the ends that reject or cancel to which `stages` lead, one for each name."""
    keys = {stage.key for stage in stages}
    ends: dict[str, str] = {}
    for action in definition.actions:
        if action.to and keys & set(action.sources) and definition.stage(action.to).kind in BAD_ENDS:
            ends.setdefault(name_of(definition.stage(action.to), audience).es, action.to)
    return tuple(ends.values())


def _layout(definition: Definition, audience: str) -> Layout:
    """Lay the map out with graphlay, which is imported here because it may be missing: it has no wheel for musl."""
    import graphlay

    boxes = grouped(definition, audience)
    steps = steps_between(definition, audience)
    look, labels = LOOKS[audience], [_label_size(actions, audience) for actions in steps.values()]
    ranks = _ranks(definition, boxes, steps)
    graph = graphlay.Graph()
    sizes: dict[str, tuple[int, tuple[str, ...], float]] = {}
    for key, stages in boxes.items():
        lines = max(
            len(lines_of(text, look.name_chars, NAME_LINES)) for text in _texts(name_of(stages[0], audience))
        )
        chips = bad_ends(definition, stages, audience)
        figures = look.end_figures if stages[0].is_end else look.figures
        height = 2 * PADDING + lines * NAME_LINE + figures + len(chips) * CHIP_LINE
        if audience != "customer":  # lines whose names do not lie over each other
            height = max(height, sum(key in pair for pair in steps) * (LABEL_HEIGHT + 3))
        sizes[key] = lines, chips, height
        rank = {"fixed": ranks[key]} if key in ranks else "free"
        graph.node(key, width=look.width, height=height, rank=rank)
    for (source, target), label in zip(steps, labels, strict=True):
        if label:
            graph.edge(source, target, label_size=label)
        else:
            graph.edge(source, target)
    options = {
        "labels": {"reservation": "always"},
        "spacing": {"layer_gap": look.gap, "node_gap": 48},
    }
    drawn = graphlay.layout(graph, preset="hub_and_spoke_flow", options=options)
    return _frozen(drawn, boxes, sizes, steps, look.width, labels)


def _frozen(
    drawn: Any,
    boxes: dict[str, tuple[Stage, ...]],
    sizes: dict[str, tuple[int, tuple[str, ...], float]],
    steps: dict[tuple[str, str], tuple[Action, ...]],
    width: float,
    labels: list[dict[str, float] | None],
) -> Layout:
    """Turn graphlay's layout into ours, moved so that its corner is at the margin."""
    low, high = drawn.bounds["min"], drawn.bounds["max"]
    left, top = low["x"] - MARGIN, low["y"] - MARGIN
    right, bottom = high["x"] + MARGIN, high["y"] + MARGIN
    nodes = []
    for (key, stages), node in zip(boxes.items(), drawn.nodes, strict=True):
        lines, chips, height = sizes[key]
        x, y = node["center"]["x"] - width / 2 - left, node["center"]["y"] - height / 2 - top
        box = Box(round(x, 1), round(y, 1), width, height)
        nodes.append(Node(key, box, lines, tuple(stage.key for stage in stages), chips))
    left_of = {node.key: node.box.x for node in nodes}
    edges: list[Edge] = []
    for ((source, target), actions), edge in zip(steps.items(), drawn.edges, strict=True):
        points = tuple((round(p["x"] - left, 1), round(p["y"] - top, 1)) for p in edge["points"])
        keys = tuple(action.key for action in actions)
        edges.append(Edge(source, target, keys, points, left_of[target] <= left_of[source]))
    sizes_of_labels = [label for label in labels if label]
    if len(sizes_of_labels) == len(edges):
        places = _labels(nodes, edges, sizes_of_labels)
        edges = [replace(edge, label=place) for edge, place in zip(edges, places, strict=True)]
    return Layout(round(right - left, 1), round(bottom - top, 1), tuple(nodes), tuple(edges))


def _ranks(definition: Definition, boxes: Iterable[str], steps: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return the columns of the boxes, left to right: the main road in its order, every side road one column after the
    stage from which it is entered first. A box gets none if a step would join it to a box in the same column."""
    pairs = set(steps)
    road = [stage.key for stage in definition.main_road]
    ranks = {key: rank for rank, key in enumerate(key for key in road if key in boxes)}
    for key in boxes:
        entries = [ranks[source] for source, target in pairs if target == key and source in ranks]
        if key in ranks or not entries:
            continue
        rank = min(entries) + 1
        joined = {other for pair in pairs if key in pair for other in pair if other != key}
        if all(ranks.get(other) != rank for other in joined):
            ranks[key] = rank
    return ranks


def label_of(text: str, count: int) -> str:
    """Return a step's name, cut to the room that it has; `count` actions more than the named one are said as «+1»."""
    more = f" +{count - 1}" if count > 1 else ""
    return lines_of(text, LABEL_CHARS - len(more), 1)[0] + more


def _label_size(actions: tuple[Action, ...], audience: str) -> dict[str, float] | None:
    """Return the room that a step needs for what is written on its line, None if nothing is."""
    if audience != "staff":
        return COUNT_LABEL if audience == "supervisor" else None
    longest = max(len(label_of(text, len(actions))) for text in _texts(actions[0].label))
    return {"width": round(longest * CHAR_WIDTH + 8), "height": LABEL_HEIGHT}


def _labels(nodes: list[Node], edges: list[Edge], sizes: list[dict[str, float]]) -> list[Box | None]:
    """Return a place on each line for its name: not over a box or another name and, if possible, not over another line.
    None if there is no such place; the list says the name all the same.

    graphlay keeps room for names, but puts some beside another line, where they read as that line's.
    """
    placed: dict[int, Box] = {}
    boxes = [node.box for node in nodes]
    for number in sorted(
        range(len(edges)), key=lambda number: len(list(_places(edges[number], sizes[number])))
    ):
        taken = [*boxes, *placed.values()]
        free = [
            box
            for box in _places(edges[number], sizes[number])
            if not any(box.overlaps(one) for one in taken)
        ]
        others = [line for edge in edges if edge is not edges[number] for line in _lines(edge)]
        if free:
            placed[number] = min(free, key=lambda box: sum(box.overlaps(line) for line in others))
    return [placed.get(number) for number in range(len(edges))]


def _places(edge: Edge, size: dict[str, float]) -> Iterator[Box]:
    """Yield the places for a name on a line: on level parts, from the middle of the longest, then across any part."""
    width, height = size["width"], size["height"]
    parts = sorted(_lines(edge), key=lambda line: -line.width)
    for share in (0.5, 0.35, 0.65, 0.2, 0.8):
        for part in parts:
            if part.width >= width:
                x = part.x + (part.width - width) * share
                yield Box(round(x, 1), round(part.y + (part.height - height) / 2, 1), width, height)
    for part in parts:
        x, y = part.x + (part.width - width) / 2, part.y + (part.height - height) / 2
        for aside in (0, -height / 2, height / 2, -height, height):
            yield Box(round(x, 1), round(y + aside, 1), width, height)


def _lines(edge: Edge) -> Iterator[Box]:
    """Yield the straight parts of a line as boxes one unit thick."""
    for (x1, y1), (x2, y2) in pairwise(edge.points):
        yield Box(min(x1, x2) - 0.5, min(y1, y2) - 0.5, abs(x1 - x2) + 1, abs(y1 - y2) + 1)


def _texts(text: Text) -> Iterator[str]:
    yield text.es
    if text.en:
        yield text.en
