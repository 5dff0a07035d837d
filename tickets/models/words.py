"""Keep the words by which tickets are found, and the answers by which they are sorted. `tickets.search` writes both."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from content.words import WordsField

from .process import Process
from .ticket import Ticket

SORTED = 80


class TicketWords(models.Model):
    """The words that find a ticket: stems of its title, requester, messages, notes and answers, and `field=value` for
    each answer. Only staff may search in it: notes are among them."""

    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE, primary_key=True, related_name="words")
    words = WordsField()

    class Meta:
        verbose_name = _("palabras de un ticket")
        verbose_name_plural = _("palabras de tickets")

    def __str__(self) -> str:
        return f"{self.ticket_id}"


class FieldValue(models.Model):
    """The answer to one field of the ticket's process, written so that answers are sorted as text."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, db_index=False, related_name="field_values")
    process = models.ForeignKey(Process, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=40)
    value = models.CharField(max_length=SORTED)

    class Meta:
        verbose_name = _("respuesta de un ticket")
        verbose_name_plural = _("respuestas de tickets")
        constraints = [models.UniqueConstraint(fields=["ticket", "key"], name="field_value_once")]
        indexes = [models.Index(fields=["process", "key", "value", "ticket"], name="field_value_sorted")]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.key}"


class ChangedText(models.Model):
    """A ticket whose words must be written again. Verbs add rows and never look for one that exists: see `DirtyDay`."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="+", db_index=False)

    def __str__(self) -> str:
        return f"{self.ticket_id}"
