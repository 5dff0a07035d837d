"""What verbs share: lock the ticket, refuse stale pages, write messages, record events and the state of mails."""
