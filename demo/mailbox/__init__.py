"""The demo's mailbox: its mails are stored in a table and shown at /correo/, because there is no mail server."""
