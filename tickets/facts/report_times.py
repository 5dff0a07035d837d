"""When a mailed report leaves, and which days it tells."""

from datetime import date, datetime, time, timedelta

from ..enums import ReportInterval
from ..models import MailedReport
from .periods import Period


def next_time(report: MailedReport, *, after: datetime) -> datetime:
    """Return the first moment after this one at which the report leaves: at its hour, in its owner's zone."""
    zone = report.owner.zone
    day = after.astimezone(zone).date()
    while True:
        moment = datetime.combine(day, time(report.hour), zone)
        if moment > after and _leaves_on(report, day):
            return moment
        day += timedelta(days=1)


def _leaves_on(report: MailedReport, day: date) -> bool:
    match report.every:
        case ReportInterval.WEEK:
            return day.isoweekday() == report.weekday
        case ReportInterval.MONTH:
            return day.day == 1
    return True


def period_of(report: MailedReport, *, today: date) -> Period:
    """Return the days that the report tells: yesterday, the seven days before today, or the month before."""
    yesterday = today - timedelta(days=1)
    match report.every:
        case ReportInterval.DAY:
            return Period(yesterday, yesterday)
        case ReportInterval.WEEK:
            return Period.ending(yesterday, days=7)
    last = today.replace(day=1) - timedelta(days=1)
    return Period(last.replace(day=1), last)
