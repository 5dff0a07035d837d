"""The verb of «¿Te sirvió este artículo?»."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from content.text import clean_line

from .enums import Missing
from .exceptions import NotAllowed
from .models import Article, ArticleFeedback, ArticleVersion
from .models.feedback import COMMENT


def voter_of(who: str) -> str:
    """Return the hash that stands for a person or browser."""
    return salted_hmac("knowledge.voter", who, algorithm="sha256").hexdigest()


@transaction.atomic
def give(
    version: ArticleVersion, *, voter: str, is_useful: bool, missing: str = "", comment: str = ""
) -> ArticleFeedback:
    """Record whether the version helped this voter (`voter_of`). Each voter has one answer about each version: another
    one takes its place. What was missing counts only if it did not help.

    Raises `NotAllowed` if the version is not the one that readers see, `TextTooLong`.
    """
    article = Article.objects.select_for_update().get(pk=version.article_id)
    if not article.is_published or not article.texts.filter(published=version).exists():
        raise NotAllowed
    before = ArticleFeedback.objects.filter(version=version, voter=voter).first()
    values = {
        "article": article,
        "is_useful": is_useful,
        "missing": missing if not is_useful and missing in Missing.values else "",
        "comment": clean_line(comment, max_length=COMMENT),
        "at": timezone.now(),
    }
    given, _is_new = ArticleFeedback.objects.update_or_create(version=version, voter=voter, defaults=values)
    if before is None or before.is_useful != is_useful:
        yes = int(is_useful) - int(before is not None and before.is_useful)
        no = int(not is_useful) - int(before is not None and not before.is_useful)
        Article.objects.filter(pk=article.pk).update(
            yes_count=F("yes_count") + yes, no_count=F("no_count") + no
        )
    return given
