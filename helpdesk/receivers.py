"""Signal receiver that wakes a worker to draw the thumbnail of a stored image."""

from typing import Any

from django.dispatch import receiver

from notifications.nudge import nudge_on_commit
from tickets.attachments import picture_kept

from .tasks import DRAW_THUMBNAILS


@receiver(picture_kept, dispatch_uid="helpdesk.draw_thumbnail")
def draw_thumbnail(**kwargs: Any) -> None:
    nudge_on_commit(DRAW_THUMBNAILS)
