"""Measure suggestions with questions whose answers are known (S3.20)."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

from .models import Article, ArticleRedirect
from .models.querysets import Reader
from .suggestions import suggest

FIRST = 3


class BadLine(ValueError):
    """A line of the file is wrong. The message says which, and what is wrong."""


@dataclass(frozen=True)
class Case:
    """A question, and the articles that answer it: none if nothing should be suggested."""

    line: int
    query: str
    expected: frozenset[int]
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """One case and the keys of the articles that were suggested for it, best first; a solution is `None`."""

    case: Case
    found: tuple[int | None, ...]
    titles: tuple[str, ...]
    seconds: float

    def recall(self, first: int) -> float:
        """Return the share of the expected articles among the `first`, of as many as have room there."""
        expected = self.case.expected
        return len(expected.intersection(self.found[:first])) / min(first, len(expected))

    @property
    def is_wrong(self) -> bool:
        return bool(self.found) if not self.case.expected else self.recall(FIRST) < 1


@dataclass(frozen=True)
class Report:
    """All results. A figure is None if no question of its kind was asked."""

    results: Sequence[Result]

    def recall(self, first: int) -> float | None:
        return _mean(result.recall(first) for result in self.results if result.case.expected)

    @property
    def abstention(self) -> float | None:
        """The share of the unrelated questions for which nothing was suggested."""
        return _mean(float(not result.found) for result in self.results if not result.case.expected)

    @property
    def seconds(self) -> float:
        return sum(result.seconds for result in self.results)

    def as_dict(self) -> dict[str, Any]:
        each = [result.seconds for result in self.results]
        return {
            "queries": len(each),
            "unrelated": sum(not result.case.expected for result in self.results),
            "recall@1": self.recall(1),
            "recall@3": self.recall(FIRST),
            "abstention": self.abstention,
            "seconds": round(self.seconds, 4),
            "seconds_p50": round(median(each), 5) if each else None,
            "seconds_max": round(max(each), 5) if each else None,
        }


def read_cases(lines: Iterable[str]) -> list[Case]:
    """Return the cases of a file of JSON lines: `{"query": "…", "expected": ["address-of-an-article"]}`; `[]`, null or
    nothing expects no suggestion. Empty lines count for nothing. Raises `BadLine`."""
    known = _Keys()
    cases = [_case(number, line, known) for number, line in enumerate(lines, 1) if line.strip()]
    if not cases:
        raise BadLine("the file has no questions")
    return cases


def evaluate(cases: Iterable[Case], *, reader: Reader, language: str) -> Report:
    """Return what is suggested to `reader` for each case. A provider that writes is not asked."""
    return Report([_result(case, reader, language) for case in cases])


def _case(number: int, line: str, known: "_Keys") -> Case:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise BadLine(f"line {number}: not JSON: {error}") from None
    if not isinstance(values, dict):
        raise BadLine(
            f'line {number}: want an object with "query" and "expected", not {type(values).__name__}'
        )
    query = values.get("query")
    if not isinstance(query, str) or not query.strip():
        raise BadLine(f'line {number}: "query" must be a text that is not empty')
    expected = values.get("expected")
    if isinstance(expected, str):
        expected = [expected]
    if expected is None:
        expected = []
    if not isinstance(expected, list) or not all(isinstance(key, str) for key in expected):
        raise BadLine(f'line {number}: "expected" must be a list of texts or null')
    ids = {key: known.get(key) for key in expected}
    if missing := [key for key, pk in ids.items() if pk is None]:
        raise BadLine(f"line {number}: no published article is called {', '.join(missing)}")
    return Case(number, query, frozenset(pk for pk in ids.values() if pk is not None), tuple(expected))


class _Keys:
    """The published articles by what they are called: address, earlier address, `articulo-12`, or either with the
    language or the folder of a file before or behind it (`demo/articles/no-llega.es.md`)."""

    def __init__(self) -> None:
        slugs = dict(Article.objects.published().values_list("slug", "pk"))
        old = ArticleRedirect.objects.filter(article__in=slugs.values()).values_list("slug", "article")
        self.ids: dict[str, int] = {f"articulo-{pk}": pk for pk in slugs.values()} | dict(old) | slugs

    def get(self, key: str) -> int | None:
        plain = key.strip().strip("/").rpartition("/")[2]
        return self.ids.get(plain) or self.ids.get(plain.partition(".")[0])


def _result(case: Case, reader: Reader, language: str) -> Result:
    began = perf_counter()
    found = suggest(case.query, reader=reader, language=language, limit=FIRST)
    seconds = perf_counter() - began
    ids = tuple(item.article.pk if item.article else None for item in found.items)
    return Result(case, ids, tuple(f"{item.title} ({item.score:.2f})" for item in found.items), seconds)


def _mean(values: Iterable[float]) -> float | None:
    figures: list[float] = list(values)
    return sum(figures) / len(figures) if figures else None


def wrong(report: Report) -> Iterator[Result]:
    """Yield the results that were not as expected."""
    yield from (result for result in report.results if result.is_wrong)
