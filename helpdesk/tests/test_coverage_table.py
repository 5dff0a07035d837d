"""docs/coverage.md agrees with the `demand` markers of the tests."""

from collections import Counter

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
