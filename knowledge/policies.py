"""Permissions: predicates that say what a person may do with an article. They change nothing."""

from accounts.models import User

from .enums import ArticleState, Audience
from .models import Article
from .models.querysets import Reader


def can_write(actor: Reader) -> bool:
    """Whether the person may draft articles and save versions: all staff."""
    return isinstance(actor, User) and actor.is_active_staff


def can_publish(actor: Reader, article: Article) -> bool:
    """Whether the person may publish, archive and rename the article and edit its card: supervisors; of an internal
    procedure also its owner, because the departments keep their own (S2.36–S2.38)."""
    if not isinstance(actor, User) or not actor.is_active_staff:
        return False
    owns = article.owner_id == actor.pk and article.audience == Audience.INTERNAL
    return actor.is_supervisor or owns


def can_edit_card(actor: Reader, article: Article) -> bool:
    """Whether the person may change section, audience, review date and keywords: who may publish the article, and the
    owner of a draft."""
    is_own_draft = (
        article.state == ArticleState.DRAFT
        and article.owner_id is not None
        and (isinstance(actor, User) and article.owner_id == actor.pk)
    )
    return can_publish(actor, article) or (is_own_draft and can_write(actor))


def can_edit_search(actor: Reader) -> bool:
    """Whether the person may edit sections and synonyms and read what was not found: supervisors."""
    return isinstance(actor, User) and actor.is_active_staff and actor.is_supervisor
