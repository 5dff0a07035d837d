"""Verbs around the closing of a ticket: checklist, contact log, survey and nonconformity reports."""
