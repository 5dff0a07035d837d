"""The schedule of all periodic tasks.

Every message expires after one period. So after an hour without workers each task runs once, not once for each period
that was missed.
"""

from datetime import timedelta
from typing import Any


def every(task: str, **period: float) -> dict[str, Any]:
    """Return the schedule entry that runs `task` once per `period` (arguments of timedelta)."""
    interval = timedelta(**period)
    return {
        "task": task,
        "schedule": interval,
        "options": {"expires": interval.total_seconds()},
    }


BEAT_SCHEDULE = {
    "send what waits in the outbox": every("notifications.tasks.drain_outbox", seconds=5),
    "take back mails of dead workers": every("notifications.tasks.sweep_outbox", seconds=10),
    "receive the mails of the mailboxes": every("notifications.tasks.collect_mail", seconds=10),
    "prove that scheduler, broker and worker are alive": every("helpdesk.tasks.heartbeat", seconds=10),
    "announce deadlines that have passed": every("helpdesk.tasks.sweep_clocks", seconds=30),
    "recompute clocks whose calendar changes": every("helpdesk.tasks.recompute_clocks", seconds=5),
    "count the days that reports show": every("helpdesk.tasks.count_days", seconds=15),
    "write the words that tickets are searched by": every("helpdesk.tasks.index_texts", seconds=5),
    "mail the links that guests ask for": every("helpdesk.tasks.mail_links", seconds=10),
    "write the files that people ask for": every("helpdesk.tasks.write_exports", seconds=3),
    "mail the reports that are due": every("helpdesk.tasks.mail_reports", minutes=1),
    "act on customers' silence": every("helpdesk.tasks.sweep_silence", minutes=5),
    "draw missing thumbnails": every("helpdesk.tasks.draw_thumbnails", minutes=1),
    "scan held files for viruses": every("helpdesk.tasks.scan_held_files", minutes=1),
    "find solutions that repeat": every("helpdesk.tasks.refresh_suggestions", hours=1),
    "delete what has expired": every("helpdesk.tasks.clean_up", hours=1),
}
