"""What suggestions are made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..models import Article, SolutionPattern
from ..models.querysets import Reader

Pieces = list[tuple[str, bool]]
"""A text in pieces, each with whether it is a word that was looked for."""

ARTICLE, PATTERN = "articulo", "solucion"


@dataclass(frozen=True)
class Question:
    """What somebody writes, and where. `process` and `category` are keys, empty if they have not been chosen."""

    text: str
    reader: Reader
    language: str
    process: str = ""
    category: str = ""
    limit: int = 3


@dataclass(frozen=True)
class Suggestion:
    """One answer that fits: an article, or how cases like this one were solved. Has exactly one of the two."""

    title: str
    excerpt: Pieces
    score: float
    article: Article | None = None
    pattern: SolutionPattern | None = None

    @property
    def key(self) -> str:
        """The text by which a form names the suggestion, such as «articulo-12». `find` reads it."""
        if self.article:
            return f"{ARTICLE}-{self.article.pk}"
        return f"{PATTERN}-{self.pattern.pk}" if self.pattern else ""

    @property
    def address(self) -> str:
        """The path of the article's page; "" for a solution, which has no page of its own."""
        return self.article.address if self.article else ""

    @property
    def cases(self) -> int:
        """How many approved closings the solution comes from; 0 for an article."""
        return self.pattern.cases if self.pattern else 0

    @property
    def helped_percent(self) -> int | None:
        return self.article.helped_percent if self.article else None

    @property
    def plain_excerpt(self) -> str:
        return "".join(piece for piece, _marked in self.excerpt)


@dataclass(frozen=True)
class Sentence:
    """One sentence of an answer, and the articles that say it: one at least."""

    text: str
    sources: tuple[Suggestion, ...]


@dataclass(frozen=True)
class Answer:
    """An answer in the provider's own words. Every sentence cites an article that was given to it."""

    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)

    @property
    def sources(self) -> tuple[Suggestion, ...]:
        """The articles that are cited, each once, in the order of the answer."""
        cited = {source.key: source for sentence in self.sentences for source in sentence.sources}
        return tuple(cited.values())


@dataclass(frozen=True)
class Suggestions:
    """What fits, best first, and an answer if a provider gave one that its articles bear out."""

    items: Sequence[Suggestion] = ()
    answer: Answer | None = None

    def __bool__(self) -> bool:
        return bool(self.items)
