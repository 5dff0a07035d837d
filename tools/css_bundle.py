"""Build one style sheet from an index of `@import url("…") layer(name);` lines.

- every import lands in its cascade layer; the order of layers is the index's own `@layer` statement
- Bootstrap goes through `bootstrap_subset`: only what crispy and our components use
- Bootstrap's classes open the components layer, so that ours refine them; its elements are the vendor layer
- utilities (Bootstrap's `!important` rules) become the last layer, without `!important`: a class written in a template
  still wins over a component, and a component that must not yield can say so
- rules for `[data-bs-theme="dark"]` are for screens, since paper is white; they are repeated for `auto` under
  `prefers-color-scheme: dark`, so that the system's preference needs no script
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from tools.css_parser import Block, Node, Rule, Statement, parse, render

DARK = re.compile(r"""\[data-bs-theme=["']?dark["']?\]""")
IMPORT = re.compile(r"""@import url\("([^"]+)"\) layer\((\w+)\)""")

# Classes of Bootstrap that stay. Sizes stop at lg: below 768 and 992 px our own layout rules.
STEP = r"(-(md|lg))?"
KEPT = re.compile(
    rf"""^(
      row|col|col-auto|col{STEP}-\d+|g-[1234]
    | form-(label|text|control|control-sm|select|select-sm|check|check-input|check-label|check-inline|switch)
    | input-group|input-group-text|has-validation|(in)?valid-feedback|is-(in)?valid
    | btn|btn-(sm|lg|link|check|primary|secondary|success|danger|outline-danger)|active|disabled|show
    | alert|alert-(primary|info|success|warning|danger)|alert-heading
    | visually-hidden(-focusable)?|stretched-link|text-truncate|text-break|text-nowrap|text-wrap|list-unstyled
    | d{STEP}-(none|block|inline|inline-block|flex|inline-flex|grid)|d-print-(none|block)
    | flex{STEP}-(row|column|fill|wrap|nowrap)|flex-(grow|shrink)-[01]
    | (justify-content|align-items){STEP}-(start|end|center|between|stretch|baseline)
    | align-self-(start|end|center|stretch)
    | [mp][tbsexy]?{STEP}-([0-5]|auto)|gap{STEP}-[0-5]
    | w-(25|50|75|100|auto)|h-(100|auto)|mw-100|min-vh-100
    | text{STEP}-(start|center|end)|text-decoration-(none|underline)|text-(primary|success|danger|secondary|body)
    | fw-(normal|medium|semibold|bold)|fst-italic|lh-(1|sm|base)|font-monospace
    | border|border-(0|top|bottom)|rounded(-[0-3]|-circle|-pill)?|overflow-(auto|hidden)
    | position-(relative|absolute|sticky)
    | invisible|order{STEP}-(first|last)
    )$""",
    re.VERBOSE,
)
UNUSED_ELEMENTS = re.compile(r"^(\.h[1-6]|\.small|\.mark|\.lead|:root\[)")
# Print is ours. Breakpoints other than these, and motion preferences of parts that are gone, fall away by themselves.


def classes_of(selector: str) -> list[str]:
    return re.findall(r"\.(-?[A-Za-z_][\w-]*)", re.sub(r"""\[[^\]]*\]|"[^"]*\"""", "", selector))


def keep(selector: str) -> bool:
    """Whether every class it asks for is kept; what it excludes with :not() may be gone."""
    selector = re.sub(r":not\([^)]*\)", "", selector)
    return not UNUSED_ELEMENTS.match(selector) and all(KEPT.match(name) for name in classes_of(selector))


def bootstrap_subset(nodes: list[Node]) -> dict[str, list[Node]]:
    """The selectors that KEPT lets through, by the layer they go to.

    Elements are the ground (vendor). Classes open the components layer: ours refine them by specificity and order, as
    Bootstrap means it. Rules that are all !important are utilities.
    """
    layers: dict[str, list[Node]] = {"vendor": [], "components": [], "utilities": []}
    for node in nodes:
        match node:
            case Rule(selectors, declarations):
                selectors = [selector for selector in selectors if keep(selector)]
                if selectors and all(d.endswith("!important") for d in declarations):
                    calm = [d.removesuffix("!important").strip() for d in declarations]
                    layers["utilities"].append(Rule(selectors, calm))
                elif selectors:
                    layer = "components" if any(map(classes_of, selectors)) else "vendor"
                    layers[layer].append(Rule(selectors, declarations))
            case Block(prelude, children, _) if children and prelude != "@media print":
                for layer, inner in bootstrap_subset(children).items():
                    layers[layer] += [Block(prelude, inner)] if inner else []
            case _:
                pass  # keyframes and charset: nothing that is kept uses them
    return layers


def without_unused_variables(rules: list[Node], everything: str) -> list[Node]:
    """Bootstrap declares some 150 variables on :root; those that no kept rule reads are dropped, again and again."""

    def pruned(nodes: list[Node], used: set[str]) -> list[Node]:
        out: list[Node] = []
        for node in nodes:
            if isinstance(node, Block) and node.children:
                out.append(Block(node.prelude, pruned(node.children, used)))
            elif isinstance(node, Rule) and any(
                s == ":root" or s.startswith("[data-bs-theme") for s in node.selectors
            ):
                live = [
                    d for d in node.declarations if not d.startswith("--") or d.split(":")[0].strip() in used
                ]
                out += [Rule(node.selectors, live)] if live else []
            else:
                out.append(node)
        return out

    while True:
        used = set(re.findall(r"var\((--[\w-]+)", everything + render(rules)))
        fewer = pruned(rules, used)
        if render(fewer) == render(rules):
            return rules
        rules = fewer


def with_auto_theme(nodes: list[Node]) -> list[Node]:
    out: list[Node] = []
    for node in nodes:
        if isinstance(node, Block) and node.children:
            out.append(Block(node.prelude, with_auto_theme(node.children)))
            continue
        dark = (
            [selector for selector in node.selectors if DARK.search(selector)]
            if isinstance(node, Rule)
            else []
        )
        if not isinstance(node, Rule) or not dark:
            out.append(node)
            continue
        if others := [selector for selector in node.selectors if selector not in dark]:
            out.append(Rule(others, node.declarations))
        auto = [DARK.sub('[data-bs-theme="auto"]', selector) for selector in dark]
        out.append(Block("@media screen", [Rule(dark, node.declarations)]))
        out.append(Block("@media screen and (prefers-color-scheme: dark)", [Rule(auto, node.declarations)]))
    return _join_adjacent(out)


def _join_adjacent(nodes: list[Node]) -> list[Node]:
    out: list[Node] = []
    for node in nodes:
        last = out[-1] if out else None
        if (
            isinstance(node, Block)
            and isinstance(last, Block)
            and node.children
            and node.prelude == last.prelude
        ):
            last.children.extend(node.children)
        else:
            out.append(node)
    return out


def with_urls_from(css: str, source: Path, target: Path) -> str:
    """url() of the source file as seen from the bundle's folder."""

    def moved(match: re.Match[str]) -> str:
        path = (source.parent / match[1]).resolve()
        if not path.is_file():
            raise SystemExit(f"{source}: no such file {match[1]}")
        return f'url("{os.path.relpath(path, target.parent)}")'

    return re.sub(r"""url\("((?!data:|#)[^"]+)"\)""", moved, css)


def build(index: Path, target: Path) -> str:
    layers: dict[str, list[Node]] = {}
    head = ""
    for node in parse(index.read_text(encoding="utf-8")):
        if not isinstance(node, Statement):
            raise SystemExit(f"{index}: only @layer and @import belong here")
        if node.text.startswith("@layer"):
            head = node.text
            layers = {name.strip(): [] for name in head.removeprefix("@layer").split(",")}
            continue
        found = IMPORT.fullmatch(node.text)
        if found is None:
            raise SystemExit(f"{index}: not understood: {node.text}")
        source = (index.parent / found[1]).resolve()
        nodes = parse(with_urls_from(source.read_text(encoding="utf-8"), source, target))
        if source.name == "bootstrap.min.css":
            for layer, part in bootstrap_subset(nodes).items():
                layers[layer] += part
        else:
            layers[found[2]] += nodes
    ours = render([node for name, nodes in layers.items() if name != "vendor" for node in nodes])
    layers["vendor"] = without_unused_variables(layers["vendor"], ours)
    blocks = [Block(f"@layer {name}", with_auto_theme(nodes)) for name, nodes in layers.items() if nodes]
    # Fonts stand outside layers: some browsers ignore @font-face inside one.
    fonts = [n for b in blocks for n in b.children if isinstance(n, Block) and n.prelude == "@font-face"]
    for block in blocks:
        block.children = [node for node in block.children if node not in fonts]
    return f"{head};\n{render(fonts)}\n{render(blocks)}\n"
