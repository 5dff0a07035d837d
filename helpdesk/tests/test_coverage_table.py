"""docs/coverage.md agrees with the `demand` markers of the tests."""

from collections import Counter

import pytest

from tools import demands


def table() -> str:
    return demands.TABLE.read_text("utf-8")


def test_coverage_table_lists_every_demand() -> None:
    sources = Counter(number.partition(".")[0] for number in demands.rows(table()))
    assert sources == {"S0": 25, "S1": 19, "S2": 47, "S3": 26, "S4": 27}


def test_coverage_table_agrees_with_the_markers() -> None:
    assert demands.problems(table(), demands.markers()) == []


def test_coverage_table_is_stale_when_a_marker_goes() -> None:
    found = demands.markers()
    found.pop("S2.8")
    assert "docs/coverage.md is out of date: python tools/demands.py --write" in demands.problems(
        table(), found
    )


def test_marker_of_an_unknown_demand_is_a_problem() -> None:
    found = {**demands.markers(), "S9.1": ["nowhere.py::test_nothing"]}
    assert "S9.1: named by nowhere.py::test_nothing, unknown to the table" in demands.problems(table(), found)


def small(*rows: str) -> str:
    head = ["**…**", "", "| demand | in short | met | shown by |", "|---|---|---|---|"]
    return demands.updated("\n".join([*head, *rows]), {"S0.1": ["a.py::test_a"], "S0.2": ["b.py::test_b"]})


def test_only_whole_demands_count_as_met() -> None:
    text = small(
        "| S0.1 | One | whole | old |",
        "| S0.2 | Two | in part: no figure | |",
        "| S0.3 | Three | pending: reports | |",
    )
    assert text.splitlines()[0] == "**Of 3 demands 1 are met whole, 1 in part; 1 are pending.**"
    assert "| S0.1 | One | whole | `a.py::test_a` |" in text
    assert "| S0.2 | Two | in part: no figure | `b.py::test_b` |" in text
    assert demands.problems(text, {"S0.1": ["a.py::test_a"], "S0.2": ["b.py::test_b"]}) == []


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("| S0.1 | One | pending: reports | |", "S0.1: pending, but a.py::test_a names it"),
        ("| S0.3 | Three | whole | |", "S0.3: whole, but no test names it"),
        ("| S0.3 | Three | in part: no figure | |", "S0.3: in part, but no test names it"),
        ("| S0.1 | One | in part: | |", "S0.1: «in part:» is not «whole», «in part: …» or «pending: …»"),
        ("| S0.1 | One |  | |", "S0.1: «» is not «whole», «in part: …» or «pending: …»"),
    ],
)
def test_row_must_agree_with_its_tests(row: str, problem: str) -> None:
    found = {demand: [f"a.py::test_{name}"] for demand, name in (("S0.1", "a"),) if demand in row}
    assert demands.problems(small(row), found) == [problem]
