"""Write the way of a ticket through its process as one short text, so that equal ways can be counted."""

from collections.abc import Iterable

LONGEST = 12
MORE = "…"


def path_of(stages: Iterable[str]) -> str:
    """Return the keys of these stages in their order, joined by «/».

    A detour that was taken several times is told once, with its count: a/b/a/b/a is a/b*2/a. A path longer than
    `LONGEST` is cut there and ends in «…», so that a ticket that goes round for ever stays one of many.
    """
    steps: list[tuple[str, int]] = []
    for stage in stages:
        if len(steps) > 2 and steps[-1] == steps[-3] and steps[-2][0] == stage:
            steps.pop()
            steps[-1] = stage, steps[-1][1] + 1
        else:
            steps.append((stage, 1))
    told = [stage if count == 1 else f"{stage}*{count}" for stage, count in steps]
    return "/".join([*told[: LONGEST - 1], MORE] if len(told) > LONGEST else told)


def steps_of(path: str) -> list[tuple[str, int]]:
    """Return the stages of a path with how often each was visited there. The last is `MORE` if the path was cut."""
    steps = []
    for step in path.split("/") if path else []:
        stage, _star, count = step.partition("*")
        steps.append((stage, int(count) if count.isdecimal() else 1))
    return steps
