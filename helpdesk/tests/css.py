"""Find the classes in a style sheet, and the variables in a built one."""

import re


def without_strings(css: str) -> str:
    return re.sub(r"""/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|url\([^)]*\)""", "", css, flags=re.DOTALL)


def classes_of(css: str) -> set[str]:
    selectors = re.findall(r"([^{};]+)\{", without_strings(css))
    return {name for selector in selectors for name in re.findall(r"\.(-?[A-Za-z_][\w-]*)", selector)}


def variables_of(css: str) -> tuple[set[str], set[str]]:
    """Return the custom properties that a style sheet declares, and those that it uses without a fallback."""
    css = without_strings(css)
    return set(re.findall(r"[{;](--[\w-]+):", css)), set(re.findall(r"var\((--[\w-]+)\)", css))
