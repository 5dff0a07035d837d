"""Signal receivers that wake a worker: to draw the thumbnail of a stored image, and to mail a guest's new link."""

from typing import Any

from django.dispatch import receiver

from notifications.nudge import nudge_on_commit
from tickets.attachments import picture_kept
from tickets.requesters.guests import link_asked

from .tasks import DRAW_THUMBNAILS, MAIL_LINKS


@receiver(picture_kept, dispatch_uid="helpdesk.draw_thumbnail")
def draw_thumbnail(**kwargs: Any) -> None:
    nudge_on_commit(DRAW_THUMBNAILS)


@receiver(link_asked, dispatch_uid="helpdesk.mail_link")
def mail_link(**kwargs: Any) -> None:
    nudge_on_commit(MAIL_LINKS)
