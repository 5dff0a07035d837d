"""Signals of this app."""

from django.dispatch import Signal

left_desk = Signal()
"""Sent with `request=` and `person=` when an administrator has taken a staff member's access or role away. A receiver
may tell the administrator what that person leaves behind."""
