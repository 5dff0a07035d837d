"""The errors that the verbs of articles raise. Their messages can be shown to the person who acted."""

from django.utils.translation import gettext_lazy as _

from content.errors import DeskError


class NotAllowed(DeskError):
    """The actor may not do this with this article."""

    default = _("No tienes permiso para hacer eso con este artículo.")


class StaleArticle(DeskError):
    """Somebody saved another version while this one was being written."""

    default = _(
        "Otra persona guardó una versión mientras escribías. Tu texto sigue aquí: "
        "compáralo con la última antes de guardar."
    )


class NotPublishable(DeskError):
    """The article cannot be published as it is. The message says what is missing."""


class NotReviewable(DeskError):
    """The colleague cannot be asked to review the article."""
