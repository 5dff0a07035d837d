from .breach import Breach
from .calendar import Calendar, CalendarVersion
from .chat import Chat
from .clock import Clock, Pause
from .closing import ChecklistEntry, ContactEntry, Nonconformity, Survey
from .conversation import Attachment, Draft, Mention, Message
from .daily_counts import CountingMark, DailyCounts, DirtyDay
from .delivery import Delivery
from .drafts import FormDraft, ReportDraft
from .event import TicketEvent
from .exports import Export
from .guest_token import GuestToken, LinkRequest
from .incoming import BlockedSender, DeskAddress, IncomingEmail, MailOriginal
from .overtaking import Overtaking
from .policy import PolicyVersion
from .presence import Presence
from .process import Category, Process, ProcessVersion
from .retention import RetentionMark
from .schedule_change import DueChange, ScheduleChange
from .side_task import SideTask
from .stage_visit import StageVisit
from .ticket import FolioCounter, Ticket
from .turn import Turn
from .views import MailedReport, SavedView
from .words import ChangedText, FieldValue, TicketWords

__all__ = [
    "Attachment",
    "BlockedSender",
    "Breach",
    "Calendar",
    "CalendarVersion",
    "Category",
    "ChangedText",
    "Chat",
    "ChecklistEntry",
    "Clock",
    "ContactEntry",
    "CountingMark",
    "DailyCounts",
    "Delivery",
    "DeskAddress",
    "DirtyDay",
    "Draft",
    "DueChange",
    "Export",
    "FieldValue",
    "FolioCounter",
    "FormDraft",
    "GuestToken",
    "IncomingEmail",
    "LinkRequest",
    "MailOriginal",
    "MailedReport",
    "Mention",
    "Message",
    "Nonconformity",
    "Overtaking",
    "Pause",
    "PolicyVersion",
    "Presence",
    "Process",
    "ProcessVersion",
    "ReportDraft",
    "RetentionMark",
    "SavedView",
    "ScheduleChange",
    "SideTask",
    "StageVisit",
    "Survey",
    "Ticket",
    "TicketEvent",
    "TicketWords",
    "Turn",
]
