"""Check the contrast of the design's colours (WCAG 2.2) in both themes: at least 4.5 for text and 3 for shapes that
carry meaning.

python -m tools.contrast       print every pair of colours
python -m tools.contrast -q    print only the pairs that fail
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

TOKENS = Path(__file__).resolve().parent.parent / "static" / "css" / "tokens"
STATES = ("waiting", "in-progress", "approve", "completed", "rejected")
NOTICES = ("info", "ok", "warn", "bad")
SURFACES = ["canvas", "surface", "surface-2", "surface-3", "hover", "selected"]
TEXT, SHAPE = 4.5, 3.0

# foreground -> the backgrounds on which it is used
TEXTS: dict[str, list[str]] = {
    "text": [*SURFACES, *(f"{name}-bg" for name in NOTICES), "track", "thumb", "raised", "bubble", "note-bg",
             "accent-soft", "accent-soft-2"],
    "text-2": [*SURFACES, "track", "raised", "warn-bg", "ok-bg", "accent-soft", "accent-soft-2", "note-bg"],
    "text-3": [*SURFACES, "raised", "accent-soft", "note-bg"],
    "accent": ["canvas", "surface", "surface-2", "surface-3", "accent-soft", "raised"],
    "accent-on": ["accent-bg", "accent-bg-hover", "accent-bg-active"],
    "accent-soft-on": ["accent-soft", "accent-soft-2", "surface"],
    "ink-on": ["ink", "ink-2"],
    "ink-on-2": ["ink", "ink-2"],
    "ok-on": ["ok-solid"],
    "bad-on": ["bad-solid"],
    "note-fg": ["note-bg", "note-bd", "surface"],
    **{f"sev-{name}-fg": [f"sev-{name}-bg", "surface", "surface-2"] for name in ("critical", "high", "medium", "low")},
    **{f"sla-{name}-fg": [f"sla-{name}-bg", "surface", "canvas"] for name in ("ok", "risk", "breached", "paused")},
    **{f"state-{name}-fg": [f"state-{name}-bg", "surface"] for name in STATES},
    **{f"{name}-fg": [f"{name}-bg", "surface"] for name in NOTICES},
    **{f"av-{n}-fg": [f"av-{n}-bg"] for n in range(1, 7)},
}  # fmt: skip
SHAPES: dict[str, list[str]] = {
    "focus": ["canvas", "surface", "surface-2", "surface-3", "accent-soft"],
    "ink-focus": ["ink", "ink-2"],
    "border-control": ["surface", "surface-2", "canvas"],
    "sev-high-solid": ["surface", "surface-2"],
    "sev-medium-solid": ["surface", "surface-2"],
    "sla-ok-solid": ["surface", "surface-2"],
    "sla-risk-solid": ["surface", "sla-risk-bg"],
    "state-waiting-solid": ["surface", "state-waiting-bg"],
    "state-in-progress-solid": ["surface", "state-in-progress-bg"],
    "chart-1": ["surface"],
    "chart-2": ["surface"],
    "chart-3": ["surface"],
}


def _tokens(name: str) -> dict[str, str]:
    return dict(
        re.findall(r"--ma-([\w-]+):\s*([^;]+);", (TOKENS / f"{name}.css").read_text(encoding="utf-8"))
    )


def themes() -> dict[str, dict[str, str]]:
    scale = _tokens("scale")
    return {name: scale | _tokens(name) for name in ("light", "dark")}


def colour(theme: dict[str, str], name: str) -> str:
    """Return the colour of a token, following references to other tokens."""
    value = theme[name].strip()
    reference = re.fullmatch(r"var\(--ma-([\w-]+)\)", value)
    return colour(theme, reference[1]) if reference else value


def luminance(hex_colour: str) -> float:
    channels = [int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(theme: dict[str, str], one: str, other: str) -> float:
    high, low = sorted((luminance(colour(theme, one)), luminance(colour(theme, other))), reverse=True)
    return (high + 0.05) / (low + 0.05)


def measured() -> list[tuple[str, str, str, float, float]]:
    """Return (theme, foreground, background, ratio, minimum) for every pair that the design uses."""
    return [
        (theme, front, ground, ratio(tokens, front, ground), least)
        for theme, tokens in themes().items()
        for uses, least in ((TEXTS, TEXT), (SHAPES, SHAPE))
        for front, grounds in uses.items()
        for ground in grounds
    ]


def main() -> int:
    rows = measured()
    for theme, front, ground, got, least in rows:
        if got < least or "-q" not in sys.argv:
            print(
                f"{theme:5} {front:18} on {ground:16} {got:5.2f} {'' if got >= least else f'FAILS, needs {least}'}"
            )
    failing = sum(got < least for *_, got, least in rows)
    print(f"{len(rows)} pairs, {failing} below their minimum")
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())
