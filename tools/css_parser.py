"""Just enough CSS to rearrange a style sheet: rules, at-blocks, statements. Values are never looked into."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

# A piece that must stay whole while we look for braces: a string, or a url() with its data.
_ATOM = r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|url\((?:[^"')]*)\)"""
_TOKEN = re.compile(rf"/\*.*?\*/|{_ATOM}|[{{}};]|\s+|[^\s{{}};\"'/u]+|.", re.DOTALL)
NESTING = ("@media", "@supports", "@layer")


@dataclass
class Rule:
    selectors: list[str]
    declarations: list[str]


@dataclass
class Block:
    """@media and its kin hold rules; @font-face and @keyframes keep their body as text."""

    prelude: str
    children: list[Node] = field(default_factory=list)
    body: str = ""


@dataclass
class Statement:
    text: str


Node = Rule | Block | Statement


def split_top_level(text: str, separator: str) -> list[str]:
    """Split outside strings, url() and parentheses."""
    parts, depth, current = [], 0, ""
    for piece in re.findall(rf"{_ATOM}|.", text, re.DOTALL):
        depth += piece in ("(", "[")
        depth -= piece in (")", "]")
        if piece == separator and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += piece
    parts.append(current.strip())
    return [part for part in parts if part]


def parse(css: str) -> list[Node]:
    nodes, _ = _parse(_TOKEN.findall(css), 0)
    return nodes


def _parse(tokens: list[str], at: int) -> tuple[list[Node], int]:
    nodes: list[Node] = []
    prelude = ""
    while at < len(tokens):
        piece = tokens[at]
        at += 1
        if piece.startswith("/*"):
            continue
        if piece == "}":
            return nodes, at
        if piece == ";":
            nodes.append(Statement(prelude.strip()))
            prelude = ""
        elif piece == "{":
            head = prelude.strip()
            prelude = ""
            if head.startswith(NESTING):
                children, at = _parse(tokens, at)
                nodes.append(Block(head, children))
            else:
                body, at = _raw_body(tokens, at)
                if head.startswith("@"):
                    nodes.append(Block(head, body=body))
                else:
                    nodes.append(Rule(split_top_level(head, ","), split_top_level(body, ";")))
        else:
            prelude += " " if piece.isspace() else piece
    return nodes, at


def _raw_body(tokens: list[str], at: int) -> tuple[str, int]:
    depth, body = 1, ""
    while True:
        piece = tokens[at]
        at += 1
        depth += piece == "{"
        depth -= piece == "}"
        if depth == 0:
            return body.strip(), at
        if not piece.startswith("/*"):
            body += " " if piece.isspace() else piece


def _squeeze(text: str) -> str:
    """Drop blanks that carry no meaning; strings and url() stay as they are."""
    pieces = re.split(rf"({_ATOM})", text)
    for index in range(0, len(pieces), 2):
        piece = re.sub(r"\s+", " ", pieces[index])
        pieces[index] = re.sub(r" ?([{};,]) ?", r"\1", piece)
    return "".join(pieces)


def _declaration(text: str) -> str:
    name, colon, value = text.partition(":")
    return f"{name.strip()}:{_squeeze(value).strip()}" if colon else text


def render(nodes: Iterable[Node]) -> str:
    """Compact, one rule per line so that a change shows as a line in a diff."""
    lines = []
    for node in nodes:
        match node:
            case Statement(text):
                lines.append(f"{_squeeze(text)};")
            case Rule(selectors, declarations):
                lines.append(
                    _squeeze(",".join(selectors)) + "{" + ";".join(map(_declaration, declarations)) + "}"
                )
            case Block(prelude, children, body):
                inner = f"\n{render(children)}\n" if children else _squeeze(body).removesuffix(";")
                lines.append(f"{_squeeze(prelude)}{{{inner}}}")
    return "\n".join(lines)
