"""Make the HTML of a version, with the article's own pictures and with links to articles that the reader may read."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from content.article_markdown import Picture, Rendered, linked_articles, pictures_in, render

from .models import Article, ArticleFile, ArticleRedirect
from .models.querysets import ArticleQuerySet

FileAddress = Callable[[ArticleFile], str]
ArticleAddress = Callable[[str], str]


def rendered(
    article: Article,
    body: str,
    *,
    readable: ArticleQuerySet,
    file_address: FileAddress,
    article_address: ArticleAddress,
) -> Rendered:
    """Return the body as safe HTML with its headings. `readable` are the articles that the person may read: a link to
    another one stays words. Takes up to three queries."""
    names = pictures_in(body)
    files = article.files.filter(name__in=names, kind="image", scan=ArticleFile.Scan.CLEAN).exclude(file="")
    pictures = tuple(
        (file.name, Picture(file_address(file), file.width, file.height)) for file in (files if names else ())
    )
    slugs = linked_articles(body)
    addresses = tuple(
        (slug, article_address(now)) for slug, now in sorted(_present(slugs, readable).items()) if slugs
    )
    return _rendered(body, pictures, addresses)


def _present(slugs: Iterable[str], readable: ArticleQuerySet) -> dict[str, str]:
    """Return the present slugs of the readable articles that are or were called so, by the slug asked for."""
    wanted = set(slugs)
    if not wanted:
        return {}
    moved = ArticleRedirect.objects.filter(slug__in=wanted).values_list("slug", "article__slug")
    present = {slug: slug for slug in wanted} | dict(moved)
    found = set(readable.filter(slug__in=set(present.values())).values_list("slug", flat=True))
    return {slug: now for slug, now in present.items() if now in found}


@lru_cache(maxsize=200)
def _rendered(
    body: str, pictures: tuple[tuple[str, Picture], ...], addresses: tuple[tuple[str, str], ...]
) -> Rendered:
    return render(body, pictures=dict(pictures), articles=dict(addresses))
