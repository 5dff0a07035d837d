"""Fill the help centre with articles of a believable vocabulary, and index them with the product's own code."""

from collections.abc import Iterator
from datetime import datetime
from random import Random

from django.utils import timezone

from bench import copying
from bench.words import SENTENCES, TITLES
from knowledge import indexing, synonyms
from knowledge.enums import ArticleState, Audience
from knowledge.models import Article, ArticleText, ArticleVersion, Section

ARTICLES, SECTIONS, BATCH = 10_000, 12, 500
SYLLABLES = (
    "ca",
    "re",
    "mi",
    "to",
    "lu",
    "pa",
    "ne",
    "so",
    "di",
    "va",
    "ge",
    "bo",
    "tri",
    "con",
    "ple",
    "mar",
)
COMMON, RARE, WRONG, MISSING = (
    "plataforma pago",
    "talanquera amarilla",
    "plataforma talanqera",
    "zzzqqq xxyyzz",
)
"""What is searched: words of thousands of articles, of one, with a typing error, and of none."""
RARE_AT = 4321


def fill(count: int) -> None:
    """Make `count` published articles, at most `ARTICLES`."""
    Section.objects.bulk_create(
        Section(slug=f"seccion-{number}", name=f"Sección {number}", position=number)
        for number in range(SECTIONS)
    )
    sections, now = list(Section.objects.order_by("pk")), timezone.now()
    articles = [
        Article(
            pk=number,
            section=sections[number % SECTIONS],
            slug=f"articulo-{number}",
            audience=Audience.INTERNAL if number % 9 == 0 else Audience.PUBLIC,
            state=ArticleState.PUBLISHED,
            created_at=now,
            updated_at=now,
            yes_count=number % 90,
            no_count=number % 7,
        )
        for number in range(1, min(count, ARTICLES) + 1)
    ]
    versions = [_version(article, now) for article in articles]
    texts = [
        ArticleText(pk=version.pk, article=version.article, language="es", latest=version, published=version)
        for version in versions
    ]
    copying.write([*articles, *versions, *texts])
    copying.continue_ids([Article, ArticleVersion, ArticleText])
    for some in _in_batches(articles):
        indexing.write(*some)
    synonyms.save("plataforma, sistema, campus", actor=None)
    synonyms.save("entrar, iniciar sesión", actor=None)


def _version(article: Article, now: datetime) -> ArticleVersion:
    random = Random(article.pk)
    title = random.choice(TITLES)
    body = [*random.sample(SENTENCES, 6), " ".join(_word(random) for _ in range(random.randint(20, 40)))]
    if article.pk == RARE_AT:
        title, body[0] = "La talanquera amarilla no abre", "La talanquera amarilla se queda abajo."
    return ArticleVersion(
        pk=article.pk,
        article=article,
        language="es",
        number=1,
        title=f"{title} {_word(random)}",
        summary=random.choice(SENTENCES),
        body="## Antes de empezar\n\n" + "\n\n".join(body),
        at=now,
    )


def _word(random: Random) -> str:
    """Return a word; some are common and most are rare, as in a language."""
    return "".join(SYLLABLES[min(int(random.expovariate(0.25)), 15)] for _ in range(random.randint(2, 4)))


def _in_batches(articles: list[Article]) -> Iterator[list[Article]]:
    for start in range(0, len(articles), BATCH):
        yield articles[start : start + BATCH]
