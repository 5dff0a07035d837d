"""What every verb ends in: the locked row, the event, the message, the mails that are announced."""
