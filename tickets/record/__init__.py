"""Steps that verbs share: lock the ticket, refuse stale pages, write messages, record events and states of mails."""
