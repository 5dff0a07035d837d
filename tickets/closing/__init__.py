"""What surrounds the closing of a ticket: checklist, contact log, survey, and the report when it was closed wrongly."""
